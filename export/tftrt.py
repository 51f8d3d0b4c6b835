"""`kerasclf tftrt`: a run as a SavedModel with TensorRT engines inside."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class TftrtOptions(command.Options):
    """Convert a run for TensorRT inside TensorFlow, where TensorFlow was built with it."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    precision: Literal["FP32", "FP16", "INT8"] = "FP16"
    """Numbers that TensorRT may compute in; INT8 is calibrated on training rows."""
    output: Path | None = None
    """Folder to make; saved_models/NAME-N-tftrt-PRECISION if none is given."""


def convert_run(options: TftrtOptions) -> dict[str, Any]:
    """Converts the run that the options name, proves the result, and keeps it."""
    from export.folder import check_new, whole
    from kerasclf.files import read_json
    from kerasclf.layout import RunLayout

    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    layout = RunLayout.open_network(options.run)
    metrics = read_json(layout.metrics)
    name = f"{metrics['name']}-{metrics['number']}-tftrt-{options.precision.lower()}"
    output = options.output or Path("saved_models") / name

    check_new(output)

    with command.quiet_imports():
        from export.trt_graph import check_available, convert

        check_available()
        from export.calibration import read_training_texts
        from kerasclf.classifier import Classifier

    texts = read_training_texts(layout) if options.precision == "INT8" else []
    with whole(output) as folder:
        classifier = Classifier.load(layout.root)
        result = convert(classifier, metrics["number"], options.precision, texts, folder)
    return {"folder": str(output), "precision": options.precision, **result}


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    print(
        f"{result['folder']}: {result['engines']} TensorRT engines in {result['precision']}, "
        f"largest difference of a probability from Keras {result['golden_difference']:.2g}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(TftrtOptions), convert_run, show, argv, "kerasclf tftrt")


if __name__ == "__main__":
    sys.exit(main())
