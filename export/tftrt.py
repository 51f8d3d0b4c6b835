"""`kerasclf tftrt`: a run as a SavedModel with TensorRT engines inside."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.tensorrt.export_tftrt import Precision, export_tftrt
from kerasclf import command


@dataclass
class TftrtOptions(command.Options):
    """Convert a run to a SavedModel with TensorRT engines (TF-TRT).

    Needs a TensorFlow that was built with TensorRT.
    """

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    precision: Precision = "FP16"
    """Number format that TensorRT may compute in; INT8 is calibrated on training rows."""
    output: Path | None = None
    """Folder to create; default: saved_models/NAME-N-tftrt-PRECISION."""


def export_run(options: TftrtOptions) -> dict[str, Any]:
    """Converts the given run."""
    return export_tftrt(options.run, options.precision, options.output)


def show(result: dict[str, Any]) -> None:
    """Prints the number of engines and the agreement with Keras."""
    print(
        f"{result['folder']}: {result['engines']} TensorRT engines in {result['precision']}, "
        f"largest difference of a probability from Keras {result['golden_difference']:.2g}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(TftrtOptions), export_run, show, argv, "kerasclf tftrt")


if __name__ == "__main__":
    sys.exit(main())
