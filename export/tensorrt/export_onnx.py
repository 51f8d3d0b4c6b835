"""Exports a run as one ONNX file."""

import shlex
from pathlib import Path
from typing import Any

from export.program.golden import GateError
from export.program.output import check_file, default_output
from kerasclf import console
from kerasclf.extras import check_installed
from kerasclf.files import load_record, replacing
from kerasclf.run.layout import RunLayout

NEEDED = ("onnx", "onnxruntime", "tf2onnx")
BATCHES = (1, 32, 256)
"""Smallest, usual and largest number of texts that the TensorRT engine is built for."""
SHORTEST = 16
"""Smallest length of bytes that it is built for."""


def export_onnx(run: Path | None, output: Path | None = None) -> dict[str, Any]:
    """Converts a run to ONNX, checks the file, and keeps it if it passes.

    Args:
        run: folder of a finished run, or of all runs of a name for the newest.
        output: file to write; default: saved_models/NAME-N.onnx.

    Returns:
        "file", "bytes", "opset", "golden_difference", and "trtexec", the command that builds a
        TensorRT engine of the file.

    Raises:
        GateError: the file did not pass a check, and was not kept.
        UserError: an argument is wrong, or a package is not installed; nothing was written.
    """
    layout = RunLayout.open(run)
    output = output or default_output(load_record(layout.metrics), ".onnx")
    check_file(output, ".onnx")
    for name in NEEDED:
        check_installed(name, name, "onnx")

    with console.quiet_imports():
        from export.program.inputs import describe_input
        from export.tensorrt.onnx_file import OPSET, check, convert
        from kerasclf.classifier import KerasClassifier

    classifier = KerasClassifier.load(layout.root)
    file_input = describe_input(classifier)
    console.say_status("converting to ONNX")
    model = convert(classifier, file_input, layout)
    console.say_status("comparing the file with Keras")
    try:
        with replacing(output) as beside:
            beside.write_bytes(model.SerializeToString())
            difference = check(beside, classifier, file_input)
    except GateError as error:
        raise GateError(f"{output} was not kept: {error}") from error
    lengths = {spec.name: spec.shape[1] for spec in file_input.specs}
    return {
        "file": str(output),
        "bytes": output.stat().st_size,
        "opset": OPSET,
        "golden_difference": difference,
        "trtexec": write_trtexec(output, lengths),
    }


def write_trtexec(file: Path, lengths: dict[str, int]) -> str:
    """Writes the command that builds a TensorRT engine of a file.

    Args:
        file: the ONNX file.
        lengths: largest length of each input for one text, by name.
    """

    def length(key: str, name: str) -> int:
        is_free = key == "bytes" and name == "minShapes"
        return min(SHORTEST, lengths[key]) if is_free else lengths[key]

    names = ("minShapes", "optShapes", "maxShapes")
    shapes = [
        f"--{name}=" + ",".join(f"{key}:{batch}x{length(key, name)}" for key in lengths)
        for name, batch in zip(names, BATCHES, strict=True)
    ]
    engine = file.with_suffix(".engine")
    return shlex.join(["trtexec", f"--onnx={file}", *shapes, f"--saveEngine={engine}", "--fp16"])
