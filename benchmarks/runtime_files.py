"""The exported files and the texts of `python -m benchmarks.runtimes`."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.runtime_environments import ONNX, TFLITE
from export.litert.recipes import RECIPES
from kerasclf.files import load_table
from kerasclf.light import open_quietly
from kerasclf.run.layout import RunLayout

SEED = 0
REFERENCE = "float32"
"""The recipe that the ONNX file is compared with."""
ONNX_FILE = "ONNX"


def export_files(layout: RunLayout, folder: Path) -> tuple[dict[str, Path], dict[str, str | None]]:
    """Exports a run by every recipe and as ONNX.

    Returns:
        The files by recipe, and "ONNX"; and the oldest runtime of each .tflite by recipe.
    """
    from export.litert.export_tflite import export_tflite
    from export.tensorrt.export_onnx import export_onnx

    files, oldest = {}, {}
    for recipe in RECIPES:
        files[recipe] = folder / f"{recipe}{TFLITE}"
        # Whatever it loses by rounding: it is compared with itself.
        exported = export_tflite(layout.root, recipe, files[recipe], max_drop=1.0)
        oldest[recipe] = exported["oldest_runtime"]
    files[ONNX_FILE] = folder / f"model{ONNX}"
    export_onnx(layout.root, files[ONNX_FILE])
    return files, oldest


def draw_texts(layout: RunLayout, number: int) -> list[str]:
    """Test texts of a run, drawn without replacement; all, if there are fewer."""
    texts = load_table(layout.predictions, [("split", "==", "test")])["text"]
    return texts.sample(min(number, len(texts)), random_state=SEED).tolist()


def label_texts(file: Path, texts: Sequence[str]) -> list[int]:
    """The class ids that LiteRT gives to texts in this process."""
    classifier = open_quietly(file)
    return [int(classifier.run(text)["label"][0]) for text in texts]
