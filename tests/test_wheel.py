"""The built wheel in an environment of its own, outside the checkout and without any extra."""

import os
import random
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = (
    *("keras_hub", "keras_nlp", "tensorflow_text", "tf_keras", "tensorflow_model_optimization"),
    *("onnx", "onnxruntime", "tf2onnx", "tensorflow_serving", "pytest", "hypothesis"),
)
"""Packages that a plain `pip install kerasclf` does not bring."""


def call(*arguments, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
    return done.returncode, done.stdout, done.stderr


def checked(*arguments, **options):
    code, out, err = call(*arguments, **options)
    assert code == 0, (arguments, out, err)
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wheel")


@pytest.fixture(scope="module")
def kerasclf(folder):
    """Runs the installed command; the checkout is on no path of it."""
    source = folder / "source"
    source.mkdir()
    for name in ("kerasclf", "export", "tuning"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    settings = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    alone = {"cwd": folder, "env": settings}
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    built = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    checked(*pip, *built, str(source), **alone)
    (wheel,) = folder.glob("kerasclf-*.whl")
    shutil.rmtree(source)

    environment = folder / "environment"
    checked(sys.executable, "-m", "venv", "--without-pip", str(environment), **alone)
    scheme = {"base": str(environment), "platbase": str(environment)}
    python = str(environment / "bin" / "python")
    checked(*pip, "--python", python, "install", "--no-deps", "--no-index", str(wheel), **alone)
    packages = Path(sysconfig.get_path("purelib", "venv", vars=scheme))
    (packages / "dependencies.pth").write_text(f"{link_dependencies(folder)}\n")

    def run(*arguments):
        command = (str(environment / "bin" / "kerasclf"), *arguments)
        return call(*command, **alone)

    place = checked(python, "-c", "import kerasclf as k; print(k.__file__)", **alone)
    assert place.startswith(str(packages))
    return run


def link_dependencies(folder):
    """A folder of links to what this environment has, but for kerasclf and packages of extras."""
    linked = folder / "dependencies"
    linked.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        name = entry.name.lower().replace("-", "_")
        hidden = ("kerasclf", "__editable__", "pyspark", *EXTRAS)
        if not entry.name.endswith(".pth") and not any(
            name == one or name.startswith((f"{one}.", f"{one}_", f"{one}-")) for one in hidden
        ):
            (linked / entry.name).symlink_to(entry)
    return linked


@pytest.fixture(scope="module")
def run(kerasclf, folder):
    generator = random.Random(0)
    words = ["".join(generator.choices("aeioklmnprst", k=5)) for _ in range(200)]
    texts = [
        " ".join([word, *generator.sample(words, 6)]) for _ in range(40) for word in ("good", "bad")
    ]
    table = pd.DataFrame({"text": texts, "label": ["yes", "no"] * 40})
    table.to_csv(folder / "posts.csv", index=False)
    options = ("--encoder", "linear", "--linear-terms", "512", "--data", "posts.csv")
    code, out, err = kerasclf("train", *options)
    assert code == 0, err
    assert "TF-IDF" in out
    return folder / "runs" / "posts" / "1"


@pytest.mark.slow
def test_wheel_trains_exports_and_predicts(kerasclf, run, folder):
    assert "<svg" in (run / "report.html").read_text(encoding="utf-8")
    for command, written in (
        (("tflite", "runs/posts", "--output", "model.tflite"), "model.tflite"),
        (("web", "model.tflite", "--output", "page"), "page/index.html"),
        (("edge", "model.tflite", "--output", "device"), "device/README.md"),
    ):
        code, _, err = kerasclf(*command)
        assert code == 0, err
        assert (folder / written).is_file(), sorted(folder.rglob("*.md"))
    code, out, err = kerasclf("predict", "runs/posts", "a good day")
    assert (code, out.split()[0]) == (0, "yes"), err


@pytest.mark.slow
def test_wheel_has_the_packaged_spaces(kerasclf, run):
    code, _, err = kerasclf("search", "--data", "posts.csv", "--space", "byte", "--trials", "1")
    assert code == 2
    assert "there is no --space byte; expected a YAML file, or bytes, towers" in err
    # The space is found; one that cannot be searched by these options is refused before training.
    code, _, err = kerasclf("search", "--data", "posts.csv", "--space", "bytes")
    assert code == 2
    assert "needs --trials" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (("prune", "runs/posts"), "compression"),
        (("compress", "runs/posts", "--budget", "size<1MB"), "compression"),
        (("onnx", "runs/posts"), "onnx"),
        (("saved_model", "runs/posts"), "serving"),
        (("train", "--data", "posts.csv", "--encoder", "bert_tiny_en_uncased"), "pretrained"),
    ],
)
def test_what_needs_an_extra_says_so(kerasclf, run, command, extra):
    code, out, err = kerasclf(*command)
    assert code == 3, err
    assert out == ""
    assert err.endswith(f'which is not installed; pip install "kerasclf[{extra}]"\n')
    assert err.count("\n") == 1
