"""Makes a static web page that classifies in the browser."""

import shutil
from pathlib import Path
from typing import Any

from export.device import litert_js
from export.device.folder import TEMPLATES, check, new_folder
from kerasclf.files import write_json


def make_web_page(source: Path | None, output: Path | None) -> dict[str, Any]:
    """Makes the folder of a page with a model and LiteRT.js.

    Args:
        source: a .tflite of kerasclf, or a run, which is exported with the default recipe.
        output: folder to create; it is complete, or absent after an error.

    Returns:
        "folder", and "bytes", the size of its files.

    Raises:
        UserError: an argument is missing or wrong, or LiteRT.js could not be downloaded.
    """
    source, output = check(source, output)
    # Before a run is exported, which takes long, so that a missing npm is reported at once.
    litert = litert_js.fetch()
    with new_folder(source, output) as (folder, classifier):
        shutil.copytree(TEMPLATES / "web", folder, dirs_exist_ok=True)
        shutil.copytree(litert, folder / "litert")
        write_json(folder / "metadata.json", classifier.metadata)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"folder": str(output), "bytes": size}
