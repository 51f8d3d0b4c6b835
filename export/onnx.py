"""`kerasclf onnx`: one ONNX file that takes UTF-8 bytes or token ids and returns the decision."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.tensorrt.export_onnx import export_onnx
from kerasclf import command


@dataclass
class OnnxOptions(command.Options):
    """Export a run as one ONNX file that takes UTF-8 bytes or token ids and returns the decision.

    Also prints the command that builds a TensorRT engine of the file.
    """

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    output: Path | None = None
    """File to write; default: saved_models/NAME-N.onnx."""


def export_run(options: OnnxOptions) -> dict[str, Any]:
    """Exports the given run."""
    return export_onnx(options.run, options.output)


def show(result: dict[str, Any]) -> None:
    """Prints size and agreement of the file, and the command for TensorRT."""
    print(
        f"{result['file']}: {result['bytes']:,} bytes, opset {result['opset']}, largest difference "
        f"of a probability from Keras {result['golden_difference']:.2g}"
    )
    print("To build a TensorRT engine, run on the machine with the GPU:")
    print(result["trtexec"])


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(OnnxOptions), export_run, show, argv, "kerasclf onnx")


if __name__ == "__main__":
    sys.exit(main())
