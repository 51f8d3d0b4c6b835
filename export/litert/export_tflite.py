"""Exports a run as one .tflite file."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from export.litert.recipes import DEFAULT_RECIPE, find_recipe
from export.program.golden import GateError
from export.program.output import check_file, default_output
from kerasclf import console
from kerasclf.errors import UserError
from kerasclf.files import load_record, replacing
from kerasclf.run.layout import RunLayout
from kerasclf.run.members import reads_bytes

MAX_DROP = 0.02


def export_tflite(
    run: Path | None,
    recipe: str = DEFAULT_RECIPE,
    output: Path | None = None,
    max_drop: float = MAX_DROP,
    on_test: bool = False,
    min_agreement: float = 0.0,
) -> dict[str, Any]:
    """Makes the .tflite of a run, checks it, and writes it if it passes.

    Args:
        run: folder of a finished run, or of all runs of a name for the newest.
        recipe: key in RECIPES.
        output: file to write; default: saved_models/NAME-N-RECIPE.tflite.
        max_drop: largest drop of validation macro-F1, and of the recall of a class, from Keras.
        on_test: whether to measure the finished file on the test rows, too.
        min_agreement: smallest share of validation texts, perturbed or not, that the file gives the
            label of Keras.

    Returns:
        "file", the fields of `FileReport`, and with `on_test` "test", of `score_on_test`.

    Raises:
        GateError: the file did not pass a check, and was not kept.
        UserError: an argument is wrong; nothing was written.
    """
    find_recipe(recipe)
    if not 0 <= min_agreement <= 1:
        raise UserError(f"--min-agreement is {min_agreement:g}; expected a share from 0 to 1")
    layout = RunLayout.open(run)
    if layout.ensemble.is_file() and not reads_bytes(layout):
        raise UserError(
            f"{layout.root} is an ensemble with a member that takes token ids; expected members of "
            "--encoder bytes; saved_model and onnx take any"
        )
    output = output or default_output(load_record(layout.metrics), f"-{recipe}.tflite")
    check_file(output, ".tflite")

    with console.quiet_imports():
        from export.litert.final_score import score_on_test
        from export.litert.make import load_file, make_file
        from export.program.inputs import describe_input
        from kerasclf.classifier import KerasClassifier

    try:
        content, report = make_file(layout, recipe, max_drop, min_agreement=min_agreement)
    except GateError as error:
        raise GateError(f"{output} was not kept: {error}") from error
    with replacing(output) as beside:
        beside.write_bytes(content)
    result = {"file": str(output), **asdict(report)}
    if on_test:
        file = load_file(content, describe_input(KerasClassifier.load(layout.root)))
        result["test"] = score_on_test(layout, file)
    return result
