"""Folders with a .tflite and its golden predictions, the common part of `edge` and `web`."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from export.litert.export_tflite import export_tflite
from export.program.golden import GOLDEN_TEXTS
from export.program.output import check_new, whole
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.errors import UserError
from kerasclf.files import write_json
from kerasclf.light import open_quietly
from kerasclf.run.layout import RunLayout
from kerasclf.run.members import reads_bytes

TEMPLATES = Path(__file__).parent / "templates"


def check(source: Path | None, output: Path | None) -> tuple[Path, Path]:
    """Checks the arguments of `new_folder` before any work is done, and returns them.

    Raises:
        UserError: one is missing, or `output` already exists or cannot be created.
    """
    if source is None or output is None:
        raise UserError("give a .tflite or a run, and --output FOLDER")
    check_new(output)
    return source, output


@contextlib.contextmanager
def new_folder(source: Path, output: Path) -> Iterator[tuple[Path, EdgeClassifier]]:
    """Yields a folder that becomes `output` when the block ends without an error.

    Args:
        source: a .tflite of kerasclf, or a run, which is exported with the default recipe.
        output: folder to create.

    Yields:
        The folder, with model.tflite and golden.json (a list of {"text", "label", "review",
        "probabilities"}) in it, and the classifier that made these predictions.

    Raises:
        UserError: `source` is neither a .tflite of kerasclf nor a run that can be exported, or
            takes token ids.
    """
    with tempfile.TemporaryDirectory() as temporary:
        file = source if source.is_file() else _export(source, Path(temporary) / "model.tflite")
        try:
            classifier = open_quietly(file)
        except ValueError as error:
            raise UserError(f"{file} is not a .tflite of kerasclf: {error}") from error
        if classifier.takes_tokens:
            raise _tokens_error(file)
        with whole(output) as folder:
            shutil.copyfile(file, folder / "model.tflite")
            golden = [{"text": text, **classifier.classify(text)} for text in GOLDEN_TEXTS]
            write_json(folder / "golden.json", golden)
            yield folder, classifier


def _export(run: Path, file: Path) -> Path:
    if not reads_bytes(RunLayout.open(run)):
        raise _tokens_error(run)
    export_tflite(run, output=file)
    return file


def _tokens_error(source: Path) -> UserError:
    return UserError(
        f"{source} takes token ids, and devices and pages have no tokenizer; give a run of "
        "--encoder bytes, or make one with kerasclf distill"
    )
