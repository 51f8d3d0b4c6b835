"""`kerasclf edge`: a folder for a device, which needs no TensorFlow."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import tyro

from kerasclf import command


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

    from export import folder, runtime
    from export.golden import GOLDEN_TEXTS

    folder.check(options.source, options.output)
    with folder.making(options.source, options.output) as (made, classifier):
        shutil.copyfile(runtime.__file__, made / "classify.py")
        needed = ("numpy", "ai-edge-litert")
        lines = [f"{name}=={version(name)}\n" for name in needed]
        (made / "requirements.txt").write_text("".join(lines))
        metadata = classifier.metadata
        template = Path(__file__).parent / "templates" / "device.md"
        page = template.read_text(encoding="utf-8").format(
            name=metadata["name"],
            max_bytes=metadata["max_bytes"],
            classes=len(metadata["labels"]),
            labels=json.dumps(metadata["labels"], ensure_ascii=False),
        )
        (made / "README.md").write_text(page, encoding="utf-8")
        failures = runtime.self_test(made / "model.tflite", made / "golden.json")
        if failures:
            raise RuntimeError(f"the self-test failed: {failures[0]}")
    return {"folder": str(options.output), "golden_texts": len(GOLDEN_TEXTS)}


def show(result: dict[str, Any]) -> None:
    """Prints the outcome for people."""
    print(f"{result['folder']}: self-test passed on {result['golden_texts']} texts")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(EdgeOptions), make_folder, show, argv, "kerasclf edge")


if __name__ == "__main__":
    sys.exit(main())
