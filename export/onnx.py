"""`kerasclf onnx`: one ONNX file that takes UTF-8 bytes, or token ids, and gives the decision."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError
from kerasclf.extras import check_installed

NEEDED = ("onnx", "onnxruntime", "tf2onnx")
BATCHES = (1, 32, 256)
"""Smallest, usual and largest number of rows that the TensorRT engine is built for."""


@dataclass
class OnnxOptions(command.Options):
    """Export a run as one ONNX file that takes UTF-8 bytes, or token ids, and decides."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    output: Path | None = None
    """File to write; saved_models/NAME-N.onnx if none is given."""


def export_onnx(options: OnnxOptions) -> dict[str, Any]:
    """Exports the run that the options name, proves the file, and writes it."""
    from kerasclf.files import check_writable, read_json, replacing
    from kerasclf.layout import RunLayout

    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    layout = RunLayout.open_network(options.run)
    metrics = read_json(layout.metrics)
    output = options.output or Path("saved_models") / f"{metrics['name']}-{metrics['number']}.onnx"
    if output.suffix != ".onnx":
        raise UserError(f"--output is {output}; expected a name that ends in .onnx")
    check_writable(output)
    for name in NEEDED:
        check_installed(name, name, "onnx")

    with command.quiet_imports():
        from export.gate import GateError
        from export.onnx_file import OPSET, check, convert
        from kerasclf.classifier import Classifier

    classifier = Classifier.load(layout.root)
    model = convert(classifier, layout)
    try:
        with replacing(output) as beside:
            beside.write_bytes(model.SerializeToString())
            difference = check(beside, classifier)
    except GateError as error:
        raise UserError(f"{output} was not kept: {error}") from error
    shapes = {i.name: i.type.tensor_type.shape.dim[1].dim_value for i in model.graph.input}
    return {
        "file": str(output),
        "bytes": output.stat().st_size,
        "opset": OPSET,
        "golden_difference": difference,
        "trtexec": write_trtexec(output, shapes),
    }


def write_trtexec(file: Path, lengths: dict[str, int]) -> str:
    """The command that builds a TensorRT engine of a file.

    Args:
        file: the ONNX file.
        lengths: length of a row of each input by name.
    """
    names = ("minShapes", "optShapes", "maxShapes")
    shapes = [
        f"--{name}=" + ",".join(f"{key}:{batch}x{length}" for key, length in lengths.items())
        for name, batch in zip(names, BATCHES, strict=True)
    ]
    engine = file.with_suffix(".engine")
    return shlex.join(["trtexec", f"--onnx={file}", *shapes, f"--saveEngine={engine}", "--fp16"])


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    print(
        f"{result['file']}: {result['bytes']:,} bytes, opset {result['opset']}, largest difference "
        f"of a probability from Keras {result['golden_difference']:.2g}"
    )
    print("A TensorRT engine of it, on the machine with the GPU:")
    print(result["trtexec"])


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(OnnxOptions), export_onnx, show, argv, "kerasclf onnx")


if __name__ == "__main__":
    sys.exit(main())
