"""LiteRT.js, which runs .tflite files in browsers: fetched once with npm, then from the cache."""

import os
import shutil
import subprocess
import tempfile
from importlib.metadata import files
from pathlib import Path

from kerasclf.errors import UserError
from kerasclf.files import read_json

PROJECT = Path(__file__).parent / "templates" / "npm"
"""Its lock file pins the versions and their hashes."""

FILES = (
    "core/package.json",
    "core/dist/index.js",
    "wasm-utils/package.json",
    "wasm-utils/dist/index.js",
    # The library takes the second pair where a browser lacks relaxed SIMD. Its other builds need
    # settings that a plain page does not make.
    "core/wasm/litert_wasm_internal.js",
    "core/wasm/litert_wasm_internal.wasm",
    "core/wasm/litert_wasm_compat_internal.js",
    "core/wasm/litert_wasm_compat_internal.wasm",
)


def fetch() -> Path:
    """A folder with `FILES` and their licence.

    Raises:
        UserError: it is not in the cache, and npm is missing or could not fetch it.
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
            f"LiteRT.js {version} is fetched once by the program npm, and PATH has none; install "
            "Node.js with npm"
        )
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".litertjs-") as beside:
        project, made = Path(beside) / "npm", Path(beside) / "made"
        shutil.copytree(PROJECT, project)
        _install(npm, project)
        for name in FILES:
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / "node_modules" / "@litertjs" / name, made / name)
        shutil.copyfile(_licence(), made / "LICENSE")
        try:
            os.rename(made, folder)
        except OSError:
            # Another process may have put it there meanwhile.
            if not folder.is_dir():
                raise
    return folder


def _install(npm: str, project: Path) -> None:
    """Installs what the lock file in `project` names; npm checks the hashes."""
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run(
        [npm, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    if done.returncode:
        prefix = "npm error "
        lines = [line for line in done.stderr.splitlines() if line.startswith(prefix)]
        said = "; ".join(line.removeprefix(prefix) for line in lines[:2]) or "it did not say why"
        raise UserError(f"npm could not fetch LiteRT.js: {said}")


def _licence() -> Path:
    """LiteRT's licence, from its Python package: the npm packages name it and leave it out."""
    return next(
        Path(file.locate()) for file in files("ai-edge-litert") or () if file.name == "LICENSE"
    )
