"""Exports a run as a SavedModel with TensorRT engines."""

from pathlib import Path
from typing import Any, Literal

from export.program.golden import GateError
from export.program.output import check_new, default_output, whole
from kerasclf import console
from kerasclf.files import load_record
from kerasclf.run.layout import RunLayout

Precision = Literal["FP32", "FP16", "INT8"]


def export_tftrt(
    run: Path | None, precision: Precision = "FP16", output: Path | None = None
) -> dict[str, Any]:
    """Converts a run by TF-TRT, checks the result, and keeps it if it passes.

    Args:
        run: folder of a finished run, or of all runs of a name for the newest.
        precision: number format that TensorRT may compute in; INT8 is calibrated on training rows.
        output: folder to create; default: saved_models/NAME-N-tftrt-PRECISION.

    Returns:
        "folder", "precision", and the result of `export.tensorrt.trt_graph.convert`.

    Raises:
        UnsupportedError: TensorFlow has no TensorRT here, or finds no GPU.
        GateError: the SavedModel did not pass a check, and was not kept.
        UserError: an argument is wrong; nothing was written.
    """
    layout = RunLayout.open(run)
    metrics = load_record(layout.metrics)
    output = output or default_output(metrics, f"-tftrt-{precision.lower()}")
    check_new(output)

    with console.quiet_imports():
        from export.tensorrt.trt_graph import check_available, convert

        check_available()
        from export.program.calibration import read_training_texts
        from kerasclf.classifier import KerasClassifier

    texts = read_training_texts(layout) if precision == "INT8" else []
    classifier = KerasClassifier.load(layout.root)
    try:
        with whole(output) as folder:
            result = convert(classifier, metrics["number"], precision, texts, folder)
    except GateError as error:
        raise GateError(f"{output} was not kept: {error}") from error
    return {"folder": str(output), "precision": precision, **result}
