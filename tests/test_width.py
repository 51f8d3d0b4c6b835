"""How much of a text is read: the default follows the training texts, and what is cut is said."""

import json

import pytest

from kerasclf.config import TrainConfig
from kerasclf.data.width import choose_width, describe_truncation, warn_of_truncation
from kerasclf.doctor import main as doctor
from kerasclf.job.kept import train_once
from kerasclf.train import main as train


@pytest.mark.parametrize(
    ("lengths", "width"),
    [
        ([1] * 100, 64),  # never below
        ([64] * 100, 64),
        ([65] * 100, 128),
        ([100] * 97 + [200] * 3, 256),  # 3 % are longer: too many
        ([100] * 99 + [200], 128),  # 1 % is longer
        ([9000] * 100, 512),  # never above
    ],
)
def test_the_width_follows_the_lengths(lengths, width):
    assert choose_width(["x" * length for length in lengths]) == width


def test_lengths_are_bytes_of_utf8():
    assert choose_width(["é" * 50] * 10) == 128
    assert describe_truncation(["é" * 50, "e" * 50], 64) == {"max_bytes": 64, "truncated_texts": 1}
    assert describe_truncation(["é" * 50], None) == {"max_bytes": None, "truncated_texts": 0}


def test_many_cut_texts_are_warned_of():
    findings = {"max_bytes": 512, "truncated_texts": 5, "rows_kept": 100}
    assert warn_of_truncation(findings) == []
    (line,) = warn_of_truncation(findings | {"truncated_texts": 6})
    assert line == "6% of the texts exceed 512 bytes and will be truncated"


@pytest.fixture
def table(tmp_path):
    """100 texts of two classes, a tenth of which, all training rows, have 150 bytes."""
    path = tmp_path / "posts.csv"
    lines = ["text,label,part"]
    for number in range(100):
        label, part = "ab"[number % 2], ("test", "validation", *["train"] * 8)[number // 2 % 10]
        text = f"{label * 5} number {number * 7919}"
        length = 150 if number < 10 and part == "train" else 20
        lines.append(f"{text:.<{length}},{label},{part}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_training_rows_choose_the_width_of_a_run(table, tmp_path, capsys):
    options = [f"--data={table}", f"--output={tmp_path}", "--split-column=part", "--json"]
    assert train([*options, "--encoder=linear"]) == 0
    printed = capsys.readouterr()
    assert "reading 192 bytes of each text; 0.0% of the texts are longer" in printed.err
    run = json.loads(printed.out)["run"]
    with open(f"{run}/config.yaml") as file:
        assert "max_bytes: 192\n" in file.read()
    with open(f"{run}/featurizer/featurizer.json") as file:
        assert json.load(file)["max_bytes"] == 192
    assert train([*options, "--encoder=linear", "--max-bytes=64", "--name=short"]) == 0
    assert "reading 64 bytes of each text; 6.0% of the texts are longer" in capsys.readouterr().err


def test_a_kept_run_is_found_by_its_default_width(table, tmp_path):
    options = {"data": table, "output": tmp_path, "split_column": "part", "encoder": "linear"}
    first = train_once(TrainConfig(**options))
    assert train_once(TrainConfig(**options))["run"] == first["run"]
    assert train_once(TrainConfig(**options, max_bytes=192))["run"] == first["run"]
    narrow = train_once(TrainConfig(**options, max_bytes=64))
    assert narrow["run"] != first["run"]
    assert train_once(TrainConfig(**options))["run"] == first["run"]


def test_doctor_counts_as_train_cuts(table, capsys):
    assert doctor([str(table), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["max_bytes"], found["truncated_texts"]) == (192, 0)
    assert doctor([str(table), "--max-bytes=64", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["truncated_texts"] == 6
