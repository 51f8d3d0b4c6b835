"""The runtimes of `python -m benchmarks.runtimes`, and the environment that each runs in."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.aarch64 import find_python, make_aarch64
from benchmarks.browser import find_browser
from benchmarks.installing import make_once, run_installer
from benchmarks.runtime_browser import DRIVER, label_in_browser
from export.device import litert_js
from kerasclf.errors import UnsupportedError
from kerasclf.extras import check_installed
from kerasclf.files import read_json

PYTHON_DRIVER = Path(__file__).with_name("runtime_driver.py")
TFLITE, ONNX = ".tflite", ".onnx"

Labeller = Callable[[Path, Path], dict[str, Any]]
"""Takes a model and a JSON file of rows, as runtime_driver.py does; returns {"labels": class ids},
or {"error": why it does not run the model}."""


@dataclass(frozen=True)
class Runtime:
    """A runtime at a version.

    Attributes:
        name: key in `RUNTIMES`.
        package: its package on PyPI or npm.
        version: version of the package; None for what is installed beside kerasclf.
        formats: suffixes of the files that it reads.
        prepare: makes its environment below a folder, unless it is there.
        also: requirements of pip beside the package.
    """

    name: str
    package: str
    version: str | None
    formats: tuple[str, ...]
    prepare: "Callable[[Runtime, Path], Labeller]"
    also: tuple[str, ...] = ()

    def find_version(self) -> str:
        """The version that runs."""
        return self.version or version(self.package)

    def list_requirements(self) -> list[str]:
        """What pip installs."""
        return [f"{self.package}=={self.version}", *self.also]


def _use_here(runtime: Runtime, folder: Path) -> Labeller:
    check_installed(runtime.package.replace("-", "_"), runtime.package, "onnx")
    return partial(_run, [sys.executable, str(PYTHON_DRIVER), runtime.package])


def _make_venv(runtime: Runtime, folder: Path) -> Labeller:
    def make(empty: Path) -> None:
        run_installer([sys.executable, "-m", "venv", str(empty)], empty)
        pip = (str(empty / "bin" / "pip"), "install", "--disable-pip-version-check")
        run_installer([*pip, "--only-binary=:all:", *runtime.list_requirements()], empty)

    place = make_once(folder / f"{runtime.package}-{runtime.version}", make)
    return partial(_run, [str(place / "bin" / "python"), str(PYTHON_DRIVER), runtime.package])


def _make_aarch64(runtime: Runtime, folder: Path) -> Labeller:
    place = make_once(
        folder / f"{runtime.package}-{runtime.version}-aarch64",
        partial(make_aarch64, requirements=runtime.list_requirements()),
    )
    return partial(_run, [*find_python(place), str(PYTHON_DRIVER), runtime.package])


def _install_npm(runtime: Runtime, folder: Path) -> Path:
    def make(empty: Path) -> None:
        (empty / "package.json").write_text("{}")
        # Scripts of onnxruntime-node download libraries for GPUs.
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
        run_installer(["npm", "install", *options, f"{runtime.package}@{runtime.version}"], empty)

    return make_once(folder / f"{runtime.package}-{runtime.version}", make)


def _make_node(runtime: Runtime, folder: Path) -> Labeller:
    if shutil.which("node") is None:
        raise UnsupportedError("needs the program node")
    place = _install_npm(runtime, folder)
    return partial(_run, ["node", str(DRIVER), str(place)])


def _make_page(runtime: Runtime, folder: Path) -> Labeller:
    browser = find_browser()
    if runtime.package == "@litertjs/core":
        folders = {"litert": litert_js.fetch()}
    else:
        folders = {"npm": _install_npm(runtime, folder) / "node_modules"}
    return partial(label_in_browser, browser, runtime.package, folders)


def _run(command: Sequence[str], file: Path, rows: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*command, str(file), str(rows)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        # Drivers catch exceptions; a crash leaves no more than its code.
        return {"error": f"it crashed with exit code {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def _litert_js_version() -> str:
    lock = read_json(litert_js.PROJECT / "package-lock.json")
    return lock["packages"]["node_modules/@litertjs/core"]["version"]


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime("LiteRT", "ai-edge-litert", None, (TFLITE,), _use_here),
        Runtime("TensorFlow-2.18", "tensorflow-cpu", "2.18.1", (TFLITE,), _make_venv),
        Runtime("TensorFlow-2.17", "tensorflow-cpu", "2.17.1", (TFLITE,), _make_venv),
        Runtime("TensorFlow-2.12", "tensorflow-cpu", "2.12.1", (TFLITE,), _make_venv),
        Runtime("tflite-runtime", "tflite-runtime", "2.14.0", (TFLITE,), _make_venv, ("numpy<2",)),
        Runtime(
            *("tflite-runtime-aarch64", "tflite-runtime", "2.14.0", (TFLITE,)),
            *(_make_aarch64, ("numpy<2",)),
        ),
        Runtime("LiteRT-aarch64", "ai-edge-litert", "2.3.0", (TFLITE,), _make_aarch64),
        Runtime("LiteRT.js", "@litertjs/core", _litert_js_version(), (TFLITE,), _make_page),
        Runtime("MediaPipe", "mediapipe", "1.2.3", (TFLITE,), _make_venv),
        Runtime("OpenVINO", "openvino", "2026.4.1", (TFLITE, ONNX), _make_venv),
        Runtime("onnxruntime", "onnxruntime", None, (ONNX,), _use_here),
        Runtime("onnxruntime-node", "onnxruntime-node", "1.30.0", (ONNX,), _make_node),
        Runtime("onnxruntime-web", "onnxruntime-web", "1.30.0", (ONNX,), _make_page),
    )
}
"""By name, in the order of the table."""
