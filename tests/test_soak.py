"""A short soak: commands that are killed at random end with the same result."""

import json

import pytest

from benchmarks.soak import main


@pytest.mark.slow
def test_commands_that_are_killed_end_with_the_same_result(capsys):
    arguments = ["--tasks", "train", "batch", "serve", "--kills=2", "--minutes=10", "--json"]
    code = main(arguments)
    tasks = json.loads(capsys.readouterr().out)["tasks"]
    assert code == 0, tasks
    for name in ("train", "batch", "serve"):
        assert tasks[name]["ends"], name
        assert sum(tasks[name]["kills"].values()), name


def test_unknown_tasks(capsys):
    assert main(["--tasks", "trian"]) == 2
    assert "--tasks has 'trian'; expected train, search" in capsys.readouterr().err
