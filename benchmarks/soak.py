"""Commands that are killed at random, again and again, and must end with the same result.

    python -m benchmarks.soak --minutes 60
    python -m benchmarks.soak --tasks batch tflite --kills 20

Each task is done once undisturbed. Then it is started in an empty folder and disturbed after a
random time, up to three times in a row, by SIGKILL of all of its processes, by SIGTERM or SIGINT,
or, where this user may mount a tmpfs, by a full disk; the same command is then left to end. What it
wrote must be what the undisturbed one wrote, and `kerasclf clean` must find nothing. Prints a row
for each task; the exit code is 1 if a result differed.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.small_disk import SmallDisk
from benchmarks.soak_process import FULL, SIGNALS, finish, interrupt
from benchmarks.soak_server import Server
from benchmarks.soak_tasks import TASKS, Inputs, Task, make_inputs, train_command
from kerasclf import command
from kerasclf.console import say
from kerasclf.errors import UserError
from kerasclf.run.leftovers import find_leftovers

IN_A_ROW = 3
"""Disturbances at most, before a command is left to end."""


@dataclass
class SoakOptions(command.Options):
    """Kill commands at random, start them again, and compare what they write."""

    tasks: tuple[str, ...] = tuple(TASKS)
    """What to disturb: train, search, tflite, saved_model, batch, distill, compress, serve."""
    minutes: float = 10.0
    """For how long."""
    kills: int | None = None
    """End as soon as each task was disturbed so often."""
    seed: int = 0
    """Of the times and kinds of disturbances."""


@dataclass
class Record:
    """What happened to a task: disturbances by kind, ends, and what was wrong."""

    kills: Counter[str] = field(default_factory=Counter)
    ends: int = 0
    faults: list[str] = field(default_factory=list)


def soak(options: SoakOptions) -> dict[str, Any]:
    """Disturbs the tasks in turn."""
    if unknown := set(options.tasks) - set(TASKS):
        raise UserError(f"--tasks has {min(unknown)!r}; expected {', '.join(TASKS)}")
    end = time.monotonic() + 60 * options.minutes
    generator = random.Random(options.seed)
    records = {name: Record() for name in options.tasks}
    with tempfile.TemporaryDirectory() as place:
        inputs = make_inputs(Path(place))
        start = time.monotonic()
        finish(train_command(inputs), Path(place))
        seconds = time.monotonic() - start
        done = {
            name: (seconds, TASKS[name].result(Path(place)))
            if name == "train"
            else _undisturbed(TASKS[name], inputs)
            for name in options.tasks
        }
        while time.monotonic() < end:
            wanted = [
                name
                for name, record in records.items()
                if options.kills is None or record.kills.total() < options.kills
            ]
            if not wanted:
                break
            for name in wanted:
                seconds, result = done[name]
                _disturb(TASKS[name], inputs, seconds, result, records[name], generator)
                record = records[name]
                say(f"{name}: {record.kills.total()} times disturbed, {record.ends} ends")
    tasks = {name: vars(record) | {"seconds": done[name][0]} for name, record in records.items()}
    return {"tasks": tasks}


def _undisturbed(task: Task, inputs: Inputs) -> tuple[float, str]:
    """Seconds and result of a task that nobody disturbs."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        if task.result is None:
            with Server(task.command(inputs), Path(place)) as server:
                return 5.0, server.ask()
        finish(task.command(inputs), Path(place))
        return time.monotonic() - start, task.result(Path(place))


def _disturb(
    task: Task,
    inputs: Inputs,
    seconds: float,
    expected: str,
    record: Record,
    generator: random.Random,
) -> None:
    """Disturbs a task some times, lets it end, and compares its result."""
    with ExitStack() as stack:
        disk = stack.enter_context(SmallDisk())
        kinds = [*SIGNALS, *([FULL] if disk.mounted and task.result else [])]
        for _ in range(generator.randint(1, IN_A_ROW)):
            kind, moment = generator.choice(kinds), generator.uniform(0, seconds)
            if task.result is None:
                with Server(task.command(inputs), disk.folder) as server:
                    fault = server.disturb(SIGNALS[kind], moment, expected)
                disturbed = True
            else:
                disturbed, fault = interrupt(task.command(inputs), disk, kind, moment, generator)
            record.kills[kind] += disturbed
            record.faults += [f"{kind}: {fault}"] if fault else []
        try:
            if task.result is None:
                with Server(task.command(inputs), disk.folder) as server:
                    found = server.ask()
            else:
                finish(task.command(inputs), disk.folder)
                found = task.result(disk.folder)
        except (OSError, RuntimeError, UserError, ValueError) as error:
            record.faults.append(f"{type(error).__name__}: {error}")
            return
        record.ends += 1
        if found != expected:
            record.faults.append("the result differs")
        record.faults += [f"left {item.path}" for item in find_leftovers([disk.folder])]


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
    kinds = [*SIGNALS, FULL]
    print(f"| task | alone | {' | '.join(kinds)} | ends | faults |")
    print("|" + " --- |" * (len(kinds) + 4))
    for name, row in result["tasks"].items():
        kills = " | ".join(str(row["kills"].get(kind, 0)) for kind in kinds)
        print(
            f"| {name} | {row['seconds']:.0f} s | {kills} | {row['ends']} | {len(row['faults'])} |"
        )
    for name, row in result["tasks"].items():
        for fault in row["faults"]:
            print(f"{name}: {fault}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(
        command.parser(SoakOptions),
        soak,
        show,
        argv,
        "benchmarks.soak",
        lambda result: not any(row["faults"] for row in result["tasks"].values()),
    )


if __name__ == "__main__":
    sys.exit(main())
