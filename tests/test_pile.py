"""One command from labels and a pile of texts to a small file, and the pile itself."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import GREETINGS, PLACES, SMALL

from export.distillation import teachers
from export.distillation.pile import read_pile
from kerasclf import cli
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.files import load_table
from kerasclf.job.prepare import prepare_job
from kerasclf.run.layout import RunLayout
from kerasclf.training.callbacks import HistoryFile
from kerasclf.training.distillation import SoftLabels


@pytest.fixture(scope="module")
def job(table):
    return prepare_job(TrainConfig(data=table, encoder="linear"))


def write_pile(path, texts):
    pd.DataFrame({"text": texts}).to_csv(path, index=False)
    return path


def test_a_pile_is_cleaned(job, tmp_path):
    trained = job.texts_and_class_ids("train")[0]
    measured = job.measured_texts()
    long = max(measured, key=len)
    texts = [
        *("halo dunia", " ", "selamat malam semua", "Halo, dunia!"),
        *(trained[0].upper(), measured[0] + "!!", long + "n"),
        *(f"kalimat baru nomor {i} tentang kota" for i in range(30)),
    ]
    kept, found = read_pile(write_pile(tmp_path / "p.csv", texts), "text", job, 100, 0)
    assert kept == [texts[0], texts[2], *texts[7:]]
    assert found["rows"] == len(texts)
    assert found["left_out"] == {
        "without a text": 1,
        "duplicates": 1,
        "copies of training rows": 1,
        "copies of validation or test rows": 1,
        "near-copies of validation or test rows": 1,
    }
    assert found["used"] == len(kept)
    assert found["balanced_accuracy"] > 0.9


def test_a_large_pile_is_a_sample_in_its_order(job, tmp_path, monkeypatch):
    monkeypatch.setattr("export.distillation.pile.CHUNK_ROWS", 100)
    texts = [f"text number {i} about {i * i}" for i in range(1000)]
    path = write_pile(tmp_path / "p.csv", texts)
    kept, found = read_pile(path, "text", job, 50, 0)
    assert len(kept) == found["used"] == 50
    assert found["rows"] == 1000
    numbers = [int(text.split()[2]) for text in kept]
    assert numbers == sorted(numbers)
    assert 300 < sum(numbers) / 50 < 700
    assert read_pile(path, "text", job, 50, 0)[0] == kept
    assert read_pile(path, "text", job, 50, 1)[0] != kept


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([" ", ""], "has no text to label: 2 rows, 2 without a text"),
        (["selamat pagi Solo"] * 3, "has no text to label: 3 rows"),
    ],
)
def test_a_useless_pile_is_one_line(job, tmp_path, texts, message):
    with pytest.raises(UserError, match=message) as caught:
        read_pile(write_pile(tmp_path / "p.csv", texts), "text", job, 10, 0)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def command(table, tmp_path_factory):
    """The command without --output: a tiny network teaches a smaller one."""
    folder = tmp_path_factory.mktemp("pile")
    texts = [f"{a} {b} {p}" for row in GREETINGS.values() for a in row for b in row for p in PLACES]
    pile = write_pile(folder / "pile.csv", texts)
    student = folder / "student.yaml"
    student.write_text("buckets: 256\nembedding_dim: 4\nfilters: 4\nepochs: 2\nmax_bytes: 48\n")
    return [
        *("distill", "--teacher=bytes", f"--data={table}", f"--unlabelled={pile}"),
        *(f"--student={student}", "--most-unlabelled=60", "--json", "--epochs=3", *SMALL),
    ]


def test_one_command_and_again_after_each_interruption(command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(teachers, "CHUNK_TEXTS", 40)
    assert cli.main([*command, "--output=whole"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["run"] == "whole/greetings-student/1"
    assert whole["file"]["bytes"] > 0
    assert whole["file"]["p50_ms"] > 0
    pile = whole["distillation"]["unlabelled"]
    assert pile["used"] == 60
    assert ">Teachers</h2>" in RunLayout.open(whole["run"]).report.read_text()
    assert "60 of 600 texts are labelled" in RunLayout.open(whole["run"]).model_card.read_text()

    # In the teacher's training, while texts are labelled, and in the student's training.
    for target, name, calls in (
        (HistoryFile, "on_epoch_end", 2),
        (teachers.np, "save", 2),
        (HistoryFile, "on_epoch_end", 1),
    ):
        with monkeypatch.context() as patched:
            original, count = getattr(target, name), [0]

            def interrupted(*arguments, original=original, count=count, calls=calls, **values):
                result = original(*arguments, **values)
                count[0] += 1
                if count[0] == calls:
                    raise KeyboardInterrupt
                return result

            patched.setattr(target, name, interrupted)
            assert cli.main([*command, "--output=parts"]) == 1
    assert cli.main([*command, "--output=parts"]) == 0
    parts = json.loads(capsys.readouterr().out)
    assert parts["run"] == "parts/greetings-student/1"
    assert parts["test"] == whole["test"]
    for name in ("greetings-teacher", "greetings-student"):
        assert [path.name for path in (tmp_path / "parts" / name).glob("[0-9]*")] == ["1"]
        one, other = (
            load_table(RunLayout.open(tmp_path / output / name).predictions)
            for output in ("whole", "parts")
        )
        pd.testing.assert_frame_equal(one, other)
    # Once more: nothing is trained.
    assert cli.main([*command, "--output=parts"]) == 0
    again = capsys.readouterr()
    assert json.loads(again.out)["run"] == parts["run"]
    assert "epoch" not in again.err
    # A student of another seed learns from the same texts, which are labelled already.
    options = [option for option in command if option.startswith(("--unl", "--stu", "--most"))]
    taught = ["parts/greetings-teacher", "--seed=3", "--name=other", "--output=parts", *options]
    assert cli.main(["distill", *taught]) == 0
    one, other = (
        SoftLabels.load(RunLayout.open(f"parts/{name}").soft_labels)
        for name in ("greetings-student", "other")
    )
    assert one.transfer_texts == other.transfer_texts
    np.testing.assert_array_equal(one.transfer_probabilities, other.transfer_probabilities)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data=x.csv"], "found --data=x.csv, which is no option of kerasclf distill without"),
        (["runs/a", "--teacher=bytes"], "found runs together with --teacher"),
        (["--budget=size<1MB"], "--budget needs --teacher"),
        (["--teacher=bytes", "--budget=size"], "--budget has 'size'"),
        (["--teacher=bytes", "--unlabelled=none.csv"], "no file none.csv"),
        (["--teacher=bytes", "--dta=x.csv"], "--dta"),
        (["--teacher=bytes", "--most-unlabelled=0"], "--most-unlabelled is 0"),
    ],
)
def test_mistakes_are_one_line(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["distill", *options]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error
