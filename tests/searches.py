"""Searches of the tests: spaces, command lines, and what they leave on the disk."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import yaml
from conftest import SMALL

from tuning.plan import SearchPlan
from tuning.space import Space

SPACES = Path(__file__).resolve().parents[1] / "tuning" / "spaces"
TINY = {
    "learning_rate": [0.003, 0.01, 0.03],
    "dropout": [0.0, 0.2],
    "filters": [4, 8],
    "class_weights": ["none", "balanced"],
}


def write_space(folder, choices):
    path = folder / "space.yaml"
    path.write_text(yaml.safe_dump(choices, sort_keys=False))
    return path


def command(table, output, space, *options):
    """The command line of a search, for a process of its own that can be killed."""
    arguments = [f"--data={table}", f"--output={output}", f"--space={space}", *SMALL, *options]
    return [sys.executable, "-m", "tuning.search", *arguments]


def run_search(*arguments):
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def finished(folder):
    """The results of the trials that have ended, and when they were written."""
    paths = (folder / "trials").glob("[0-9][0-9][0-9][0-9]/result.json")
    return {path.parent.name: (path.read_text(), path.stat().st_mtime_ns) for path in paths}


def make_plan(config, choices, folder, **changes):
    plan = SearchPlan(config, Space(choices), "grid", 4, "macro_f1", 0, None, None, folder)
    return replace(plan, **changes)


def await_trials(folder, count, process, seconds=1800):
    end = time.monotonic() + seconds
    while len(finished(folder)) < count:
        assert process.poll() is None, "the search ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.05)


def children(pid):
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]
