"""After a result, a line says what one would run next, and it can be run."""

import shlex
from types import SimpleNamespace

import pytest

from kerasclf import cli
from kerasclf.next_steps import _STEPS, describe_next


def test_every_step_is_of_a_command():
    assert set(_STEPS) <= set(cli.COMMANDS)


@pytest.mark.parametrize(
    ("program", "options", "result", "line"),
    [
        (
            "doctor",
            {"file": "my posts.csv", "dataset": None, "text_column": "tweet", "label_column": "l"},
            {},
            "train --data 'my posts.csv' --text-column tweet --label-column l",
        ),
        ("crossval", {"data": None, "dataset": "id-hate"}, {}, "train --dataset id-hate"),
        ("train", {}, {"run": "runs/a/1"}, "predict runs/a/1 'a text'"),
        ("search", {}, {"config": "runs/s/best.yaml"}, "train --config runs/s/best.yaml"),
        ("tflite", {}, {"file": "a b.tflite"}, "web 'a b.tflite' --output page"),
        ("compress", {}, {"folder": "c", "chosen": "x"}, "web c/model.tflite --output page"),
        (
            "saved_model",
            {},
            {"model": "saved_models/a"},
            "request http://localhost:8501/v1/models/a 'a text'",
        ),
    ],
)
def test_the_line(program, options, result, line):
    found = describe_next(f"kerasclf {program}", SimpleNamespace(**options), result)
    assert shlex.split(found) == ["kerasclf", *shlex.split(line)]


@pytest.mark.parametrize(
    ("program", "result"),
    [("search", {"joined": "host:1"}), ("compress", {"folder": "c", "chosen": None}), ("web", {})],
)
def test_no_line_where_nothing_follows(program, result):
    assert describe_next(f"kerasclf {program}", SimpleNamespace(), result) is None


def test_the_line_is_shown_unless_json_is_asked_for(table, capsys):
    assert cli.main(["doctor", str(table)]) == 0
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == f"next: kerasclf train --data {table}"
    assert cli.main(["doctor", str(table), "--json"]) == 0
    assert "next:" not in capsys.readouterr().err
