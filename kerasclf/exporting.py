"""Exports that classifiers offer themselves: the one module of kerasclf that imports `export`."""

from pathlib import Path

from kerasclf.console import quiet_imports, warn
from kerasclf.errors import UserError
from kerasclf.files import replacing
from kerasclf.manifest import update_manifest
from kerasclf.run.layout import RunLayout
from kerasclf.run.members import reads_bytes


def keep_light_file(layout: RunLayout) -> None:
    """Writes the float32 .tflite of a run into its folder, so that predictions need no TensorFlow.

    If the model has a linear part, its weights are written, too: they explain predictions. Nothing
    is written for a run that reads tokens, whose tokenizer needs TensorFlow.

    Args:
        layout: a finished run.
    """
    if not reads_bytes(layout) or layout.light.is_file():
        return
    with quiet_imports():
        from export.litert.make import make_exact_file
        from export.program.golden import GateError
        from kerasclf.classifier import KerasClassifier
        from kerasclf.explanation.of_keras import find_linear

    classifier = KerasClassifier.load(layout.root)
    try:
        content = make_exact_file(layout, classifier)
    except GateError as error:
        # Such as of an encoder whose ops LiteRT lacks: Keras predicts then.
        warn(f"predictions will need TensorFlow: {error}")
        return
    if layout.has_linear:
        find_linear(classifier).save(layout.linear)
    with replacing(layout.light) as beside:
        beside.write_bytes(content)
    update_manifest(layout.root, [layout.light, layout.linear])


def export_run(layout: RunLayout, path: Path, recipe: str | None = None) -> Path:
    """Exports a run in the format that a path names.

    Args:
        layout: a finished run.
        path: FILE.tflite, FILE.onnx, or a folder, without a suffix, for a SavedModel that TF
            Serving serves: a version in it.
        recipe: of a .tflite (see `kerasclf tflite --help`); default: dynamic_int8.

    Returns:
        The file, or the folder of the new version.

    Raises:
        UserError: the suffix or the recipe is not known, or the run cannot be exported so.
    """
    suffix = path.suffix.lower()
    if suffix not in (".tflite", ".onnx", ""):
        raise UserError(f"{path} ends in {suffix!r}; expected .tflite, .onnx, or a folder")
    if recipe is not None and suffix != ".tflite":
        raise UserError(f"recipe {recipe!r} is for a .tflite, found {path}; leave it out")
    if suffix == ".tflite":
        from export.litert.export_tflite import export_tflite
        from export.litert.recipes import DEFAULT_RECIPE

        return Path(export_tflite(layout.root, recipe or DEFAULT_RECIPE, path)["file"])
    if suffix == ".onnx":
        from export.tensorrt.export_onnx import export_onnx

        return Path(export_onnx(layout.root, path)["file"])
    from export.serving.publish import publish

    return path / str(publish(layout.root, path)["published"])
