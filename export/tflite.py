"""`kerasclf tflite`: one file that takes UTF-8 bytes, or token ids, and gives the decision."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class TfliteOptions(command.Options):
    """Export a run as one .tflite that takes UTF-8 bytes, or token ids, and gives the decision."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    recipe: Literal["float32", "float16", "dynamic_int8", "int4_embedding", "full_int8"] = (
        "dynamic_int8"
    )
    """How weights are written."""
    output: Path | None = None
    """File to write; saved_models/NAME-N-RECIPE.tflite if none is given."""
    max_drop: float = 0.02
    """Largest drop of validation macro-F1, and of any class's recall, against Keras."""
    on_test: bool = False
    """Measure the finished file on the run's test rows, too; for the last number only."""


def export_tflite(options: TfliteOptions) -> dict[str, Any]:
    """Exports the run that the options name, proves the file, and writes it."""
    from kerasclf.files import check_writable, read_json, replacing
    from kerasclf.layout import RunLayout

    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    layout = RunLayout.open_network(options.run)
    metrics = read_json(layout.metrics)
    name = f"{metrics['name']}-{metrics['number']}-{options.recipe}.tflite"
    output = options.output or Path("saved_models") / name
    if output.suffix != ".tflite":
        raise UserError(f"--output is {output}; expected a name that ends in .tflite")
    check_writable(output)

    with command.quiet_imports():
        from export.final_score import score_on_test
        from export.gate import GateError
        from export.prove import load_file, make_file
        from kerasclf.classifier import Classifier

    try:
        content, report = make_file(layout, options.recipe, options.max_drop)
    except GateError as error:
        raise UserError(f"{output} was not kept: {error}") from error
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as beside:
        beside.write_bytes(content)
    result = {"file": str(output), **asdict(report)}
    if options.on_test:
        file = load_file(content, Classifier.load(layout.root))
        result["test"] = score_on_test(layout, file)
    return result


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    print(
        f"{result['file']}: {result['bytes']:,} bytes ({result['gzip_bytes']:,} gzipped), "
        f"validation macro-F1 {result['macro_f1']:.4f} (Keras {result['keras_macro_f1']:.4f}), "
        f"largest difference of a probability {result['golden_difference']:.2g}"
    )
    if "test" in result:
        print(describe_test(result["test"]))


def describe_test(test: dict[str, Any]) -> str:
    """The outcome of `score_on_test` in a line."""
    macro_f1, difference = test["macro_f1"], test["difference"]
    return (
        f"test macro-F1 {macro_f1['value']:.4f} ({macro_f1['low']:.4f} to {macro_f1['high']:.4f}), "
        f"the run {test['run_macro_f1']:.4f}, paired difference {difference['difference']:+.4f} "
        f"({difference['low']:+.4f} to {difference['high']:+.4f})"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(TfliteOptions), export_tflite, show, argv, "kerasclf tflite")


if __name__ == "__main__":
    sys.exit(main())
