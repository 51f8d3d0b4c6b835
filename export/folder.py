"""Folders that are whole or absent, and those that hold a .tflite and its golden answers."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from export.golden import GOLDEN_TEXTS
from export.runtime import EdgeClassifier
from kerasclf.errors import UserError
from kerasclf.files import check_writable, read_json, write_json
from kerasclf.layout import RunLayout

TAKES_TOKENS = (
    "{} takes token ids, for which a device and a page have no tokenizer; give a run of --encoder "
    "bytes, or make one with kerasclf distill"
)


def check(source: Path | None, output: Path | None) -> None:
    """Checks what can be checked of the options before any work is done.

    Raises:
        UserError: one is missing, or `output` is there already or cannot be made.
    """
    if source is None or output is None:
        raise UserError("give a .tflite or a run, and --output FOLDER")
    check_new(output)


def check_new(output: Path) -> None:
    """Checks that a folder can be made.

    Raises:
        UserError: `output` is there already or cannot be made.
    """
    if output.exists():
        raise UserError(f"--output {output} is there already; give a new folder")
    check_writable(output)


@contextlib.contextmanager
def whole(output: Path) -> Iterator[Path]:
    """Yields a folder that becomes `output` when the block ends without an error."""
    parent = output.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".making-") as beside:
        folder = Path(beside) / output.name
        folder.mkdir()
        yield folder
        folder.rename(output)


@contextlib.contextmanager
def making(source: Path, output: Path) -> Iterator[tuple[Path, EdgeClassifier]]:
    """Yields a folder that becomes `output` when the block ends without an error.

    Args:
        source: a .tflite of kerasclf, or a run, which is exported by dynamic_int8.
        output: the folder to make.

    Yields:
        The folder, with model.tflite and golden.json (a list of {"text", "label", "review",
        "probabilities"}) in it, and the classifier that gave those answers.

    Raises:
        UserError: `source` is neither a .tflite of kerasclf nor a run that can be exported, or
            takes token ids.
    """
    with tempfile.TemporaryDirectory() as made:
        file = _tflite(source, Path(made))
        try:
            classifier = EdgeClassifier(file)
        except ValueError as error:
            raise UserError(f"{file} is not a .tflite of kerasclf: {error}") from error
        if classifier.takes_tokens:
            raise UserError(TAKES_TOKENS.format(file))
        with whole(output) as folder:
            shutil.copyfile(file, folder / "model.tflite")
            golden = [{"text": text, **classifier.classify(text)} for text in GOLDEN_TEXTS]
            write_json(folder / "golden.json", golden)
            yield folder, classifier


def _tflite(source: Path, folder: Path) -> Path:
    """The source if it is a file, else a run's export."""
    if source.is_file():
        return source
    if read_json(RunLayout.open_network(source).metrics)["encoder"] != "bytes":
        raise UserError(TAKES_TOKENS.format(source))
    from export.tflite import TfliteOptions, export_tflite

    return Path(export_tflite(TfliteOptions(run=source, output=folder / "model.tflite"))["file"])
