"""`kerasclf tflite`: one .tflite that takes UTF-8 bytes or token ids and returns the decision."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.litert.export_tflite import MAX_DROP, export_tflite
from export.litert.final_score import describe_test
from export.litert.recipes import DEFAULT_RECIPE, RECIPES
from kerasclf import command


@dataclass
class TfliteOptions(command.Options):
    """Export a run as one .tflite that takes UTF-8 bytes or token ids and returns the decision."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    recipe: Annotated[str, tyro.conf.arg(help=f"How weights are stored: {', '.join(RECIPES)}.")] = (
        DEFAULT_RECIPE
    )
    output: Path | None = None
    """File to write; default: saved_models/NAME-N-RECIPE.tflite."""
    max_drop: float = MAX_DROP
    """Largest drop of validation macro-F1, and of the recall of any class, from Keras."""
    min_agreement: float = 0.0
    """Smallest share of validation texts with the label of Keras, as they are and with typos."""
    on_test: bool = False
    """Also measure the finished file on the run's test rows; only for the final result."""


def export_run(options: TfliteOptions) -> dict[str, Any]:
    """Exports the given run."""
    return export_tflite(
        options.run,
        options.recipe,
        options.output,
        options.max_drop,
        options.on_test,
        options.min_agreement,
    )


def show(result: dict[str, Any]) -> None:
    """Prints size and agreement of the file."""
    print(
        f"{result['file']}: {result['bytes']:,} bytes ({result['gzip_bytes']:,} gzipped), oldest "
        f"runtime TensorFlow Lite {result['oldest_runtime'] or 'unknown'}, "
        f"validation macro-F1 {result['macro_f1']:.4f} (Keras {result['keras_macro_f1']:.4f}), "
        f"largest difference of a probability {result['golden_difference']:.2g}"
    )
    print(
        f"same label as Keras: {result['same_label']:.2%} of the validation texts, "
        f"{result['same_label_perturbed']:.2%} with typos, homoglyphs and the like"
    )
    if "test" in result:
        print(describe_test(result["test"]))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(TfliteOptions), export_run, show, argv, "kerasclf tflite")


if __name__ == "__main__":
    sys.exit(main())
