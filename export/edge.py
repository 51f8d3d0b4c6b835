"""`kerasclf edge`: a folder for a device, which needs no TensorFlow."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UserError

TAKES_TOKENS = (
    "{} takes token ids, and a device has no tokenizer; give a run of --encoder bytes, "
    "or make one with kerasclf distill"
)


@dataclass
class EdgeOptions(command.Options):
    """Make a folder that classifies on a device without TensorFlow."""

    source: Annotated[Path | None, tyro.conf.Positional] = None
    """A .tflite of `kerasclf tflite`, or a run, which is exported by dynamic_int8."""
    output: Path | None = None
    """Folder to make; must not exist."""


def make_folder(options: EdgeOptions) -> dict[str, Any]:
    """Makes the folder, whole or not at all, and runs its self-test."""
    import json
    import shutil
    import tempfile

    from export import runtime
    from export.golden import GOLDEN_TEXTS
    from kerasclf.files import check_writable, write_json

    if options.source is None or options.output is None:
        raise UserError("give a .tflite or a run, and --output FOLDER")
    if options.output.exists():
        raise UserError(f"--output {options.output} is there already; give a new folder")
    check_writable(options.output)
    parent = options.output.absolute().parent
    with tempfile.TemporaryDirectory() as made:
        file = _tflite(options.source, Path(made))
        try:
            classifier = runtime.EdgeClassifier(file)
        except ValueError as error:
            raise UserError(f"{file} is not a .tflite of kerasclf: {error}") from error
        if classifier.takes_tokens:
            raise UserError(TAKES_TOKENS.format(file))
        metadata = classifier.metadata
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".edge-") as beside:
            folder = Path(beside) / options.output.name
            folder.mkdir()
            shutil.copyfile(file, folder / "model.tflite")
            shutil.copyfile(runtime.__file__, folder / "classify.py")
            needed = ("numpy", "ai-edge-litert")
            lines = [f"{name}=={version(name)}\n" for name in needed]
            (folder / "requirements.txt").write_text("".join(lines))
            golden = [{"text": text, **classifier.classify(text)} for text in GOLDEN_TEXTS]
            write_json(folder / "golden.json", golden)
            template = Path(__file__).parent / "templates" / "device.md"
            page = template.read_text(encoding="utf-8").format(
                name=metadata["name"],
                max_bytes=metadata["max_bytes"],
                classes=len(metadata["labels"]),
                labels=json.dumps(metadata["labels"], ensure_ascii=False),
            )
            (folder / "README.md").write_text(page, encoding="utf-8")
            failures = runtime.self_test(folder / "model.tflite", folder / "golden.json")
            if failures:
                raise RuntimeError(f"the self-test failed: {failures[0]}")
            folder.rename(options.output)
    return {"folder": str(options.output), "golden_texts": len(GOLDEN_TEXTS)}


def _tflite(source: Path, folder: Path) -> Path:
    """The source if it is a file, else a run's export."""
    if source.is_file():
        return source
    from export.tflite import TfliteOptions, export_tflite
    from kerasclf.files import read_json
    from kerasclf.layout import RunLayout

    if read_json(RunLayout.open(source).metrics)["encoder"] != "bytes":
        raise UserError(TAKES_TOKENS.format(source))
    return Path(export_tflite(TfliteOptions(run=source, output=folder / "model.tflite"))["file"])


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    print(f"{result['folder']}: self-test passed on {result['golden_texts']} texts")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(EdgeOptions), make_folder, show, argv, "kerasclf edge")


if __name__ == "__main__":
    sys.exit(main())
