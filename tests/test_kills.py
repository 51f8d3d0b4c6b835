"""SIGKILL in every stage of a distillation: the same command again ends with the same bits."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import GREETINGS, PLACES, SMALL

from kerasclf.files import load_table
from kerasclf.run.layout import RunLayout

# A file gets its name last, so that a kill at its renaming loses what was written to it.
PROGRAM = """
import os, signal, sys
from kerasclf.cli import main

name, count = sys.argv[1], int(sys.argv[2])

def watch(event, arguments):
    global count
    if event == "os.rename" and os.fspath(arguments[1]).endswith(name):
        count -= 1
        if count == 0:
            os.kill(os.getpid(), signal.SIGKILL)

if count:
    sys.addaudithook(watch)
from export.distillation import teachers
teachers.CHUNK_TEXTS = 40
sys.exit(main(sys.argv[3:]))
"""
KILLS = (
    ("linear.npz", 1),  # the teacher's linear part
    ("000001.npz", 1),  # between its linear part and its network
    ("metrics.json", 1),  # the teacher is trained and measured
    (".npy", 2),  # while texts are labelled
    ("000001.npz", 1),  # the student's training
    (".tflite", 1),  # its export
)
"""The files at whose renaming the process is killed: one of that name, or the second one."""


def distill(command: list[str], folder: Path, kill: tuple[str, int]) -> subprocess.CompletedProcess:
    root = Path(__file__).resolve().parents[1]
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, kill[0], str(kill[1]), *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_distillation_that_is_killed_in_each_stage_ends_with_the_same_bits(table, tmp_path):
    texts = [f"{a} {b} {p}" for row in GREETINGS.values() for a in row for b in row for p in PLACES]
    pd.DataFrame({"text": texts}).to_csv(tmp_path / "pile.csv", index=False)
    student = "buckets: 256\nembedding_dim: 4\nfilters: 4\nepochs: 2\nmax_bytes: 48\n"
    (tmp_path / "student.yaml").write_text(student)
    command = [
        *("distill", "--teacher=bytes", f"--data={table}", f"--unlabelled={tmp_path}/pile.csv"),
        *(f"--student={tmp_path}/student.yaml", "--most-unlabelled=60", "--json"),
        *("--epochs=2", *SMALL, "--linear=tfidf"),
    ]
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    undisturbed = distill(command, tmp_path / "whole", ("", 0))
    assert undisturbed.returncode == 0, undisturbed.stderr
    for kill in KILLS:
        done = distill(command, tmp_path / "killed", kill)
        assert done.returncode == -signal.SIGKILL, (kill, done.stderr)
    resumed = distill(command, tmp_path / "killed", ("", 0))
    assert resumed.returncode == 0, resumed.stderr

    whole, killed = json.loads(undisturbed.stdout), json.loads(resumed.stdout)
    assert killed["run"] == whole["run"] == "runs/greetings-student/1"
    assert killed["test"] == whole["test"]
    for run in ("greetings-teacher", "greetings-student"):
        folders = [tmp_path / name / "runs" / run for name in ("whole", "killed")]
        assert [path.name for path in folders[1].iterdir() if path.name[0].isdigit()] == ["1"]
        tables = [load_table(RunLayout.open(folder).predictions) for folder in folders]
        pd.testing.assert_frame_equal(*tables)
    whole_file, killed_file = (
        (tmp_path / name / whole["file"]["file"]).read_bytes() for name in ("whole", "killed")
    )
    assert killed_file == whole_file
