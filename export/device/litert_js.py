"""LiteRT.js, which runs .tflite files in browsers: downloaded once with npm, then cached."""

import os
import shutil
import subprocess
import tempfile
from importlib.metadata import files
from pathlib import Path

from export.device.folder import TEMPLATES
from kerasclf.errors import UserError
from kerasclf.files import read_json
from kerasclf.temporary import making

PROJECT = TEMPLATES / "npm"
"""npm project whose lock file pins the versions and their hashes."""

DEADLINE = 600
"""Seconds for the whole download."""
FILES = (
    "core/package.json",
    "core/dist/index.js",
    "wasm-utils/package.json",
    "wasm-utils/dist/index.js",
    # The library loads the second pair in browsers without relaxed SIMD. Its other builds need
    # options that the page does not set.
    "core/wasm/litert_wasm_internal.js",
    "core/wasm/litert_wasm_internal.wasm",
    "core/wasm/litert_wasm_compat_internal.js",
    "core/wasm/litert_wasm_compat_internal.wasm",
)


def fetch() -> Path:
    """Returns a folder with `FILES` and their licence; downloads them if they are not cached.

    Raises:
        UserError: they are not cached, and npm is missing or could not download them.
    """
    import pooch

    lock = read_json(PROJECT / "package-lock.json")
    version = lock["packages"]["node_modules/@litertjs/core"]["version"]
    cache = Path(pooch.os_cache("kerasclf"))
    folder = cache / f"litertjs-{version}"
    if folder.is_dir():
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(
            f"LiteRT.js {version} is downloaded once with the program npm, which is not in PATH; "
            "install Node.js with npm"
        )
    with tempfile.TemporaryDirectory() as temporary, making(folder) as package:
        project = Path(temporary) / "npm"
        shutil.copytree(PROJECT, project)
        _install(npm, project)
        for name in FILES:
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / "node_modules" / "@litertjs" / name, package / name)
        shutil.copyfile(_licence(), package / "LICENSE")
        try:
            os.rename(package, folder)
        except OSError:
            # Another process may have created it in the meantime.
            if not folder.is_dir():
                raise
    return folder


def _install(npm: str, project: Path) -> None:
    """Installs the packages in the lock file of `project`; npm checks their hashes."""
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    try:
        done = subprocess.run(
            [npm, *arguments],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"npm did not download LiteRT.js within {DEADLINE} s; try again, or another registry"
        ) from error
    if done.returncode:
        prefix = "npm error "
        lines = [line for line in done.stderr.splitlines() if line.startswith(prefix)]
        reason = "; ".join(line.removeprefix(prefix) for line in lines[:2]) or "it gave no reason"
        raise UserError(f"npm could not download LiteRT.js: {reason}")


def _licence() -> Path:
    """LiteRT's licence, from its Python package; the npm packages name it but do not include it."""
    return next(
        Path(file.locate()) for file in files("ai-edge-litert") or () if file.name == "LICENSE"
    )
