"""Makes a folder for a device, which needs no TensorFlow."""

import json
import shutil
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from export.device.folder import TEMPLATES, check, new_folder
from export.program.golden import GOLDEN_TEXTS, ParityError
from kerasclf import edge_runtime

NEEDED = ("numpy", "ai-edge-litert")


def make_edge_folder(source: Path | None, output: Path | None) -> dict[str, Any]:
    """Makes a folder with a model and the program that runs it, and runs its self-test.

    Args:
        source: a .tflite of kerasclf, or a run, which is exported with the default recipe.
        output: folder to create; it is complete, or absent after an error.

    Returns:
        "folder", and "golden_texts", the number of texts of the self-test.

    Raises:
        UserError: an argument is missing or wrong, or the self-test failed.
    """
    source, output = check(source, output)
    with new_folder(source, output) as (folder, classifier):
        shutil.copyfile(edge_runtime.__file__, folder / "classify.py")
        lines = [f"{name}=={version(name)}\n" for name in NEEDED]
        (folder / "requirements.txt").write_text("".join(lines))
        metadata = classifier.metadata
        template = (TEMPLATES / "device.md").read_text(encoding="utf-8")
        page = template.format(
            name=escape(metadata["name"]),
            max_bytes=metadata["max_bytes"],
            num_classes=len(metadata["labels"]),
            labels=escape(json.dumps(metadata["labels"], ensure_ascii=False), quote=False),
        )
        (folder / "README.md").write_text(page, encoding="utf-8")
        failures = edge_runtime.self_test(folder / "model.tflite", folder / "golden.json")
        if failures:
            raise ParityError(f"the self-test failed: {failures[0]}")
    return {"folder": str(output), "golden_texts": len(GOLDEN_TEXTS)}
