"""The worker processes of this machine, each on its own cores or GPU, restarted when they die."""

import os
import pickle
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self, TypeVar

from kerasclf.console import warn
from kerasclf.files import full_disk, has_room, load_record, save_record
from kerasclf.run.layout import PARTIAL
from tuning.plan import RESULT, WORKER, SearchPlan
from tuning.workers.address import Address
from tuning.workers.worker import WorkerSpec

STOP_SECONDS = 10
DEATHS = "deaths.json"
"""How often a process of a trial was killed; only in the folder of a trial where one was."""
TRIES = 3
"""A trial whose process was killed so often has failed: it may need more memory than there is."""
ItemT = TypeVar("ItemT")


def share(items: Sequence[ItemT], count: int, i: int) -> tuple[ItemT, ...]:
    """The i-th of `count` shares of cores or GPUs; one each where there are fewer than shares."""
    if len(items) <= count:
        return (items[i % len(items)],) if items else ()
    return tuple(items[i::count])


class WorkerPool:
    """The workers that one command starts; a context manager that stops them at its end."""

    def __init__(self, plan: SearchPlan, chief: Address, count: int):
        """Creates a pool; its workers start when the context is entered.

        Args:
            plan: the search.
            chief: where its chief listens.
            count: number of workers.
        """
        self._plan, self._chief, self._count = plan, chief, count
        # Unique over all machines; KerasTuner takes every name that contains "chief" for a chief.
        self._names = [f"worker-{secrets.token_hex(3)}-{i}" for i in range(count)]
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._plan.logs.mkdir(parents=True, exist_ok=True)
        self._processes = [self._start(i) for i in range(self._count)]
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def supervise(self) -> bool:
        """Restarts workers that were killed in a trial, which they then go on with.

        Returns:
            Whether any worker is still running; each exits when the search has ended.

        Raises:
            FullDiskError: a worker found no space left.
            RuntimeError: a worker ended outside of a trial, or by a fault of the machine such as a
                full disk, so that a restart would not help.
        """
        for i, process in enumerate(self._processes):
            if code := process.poll():
                self._record_death(i, code)
                self._processes[i] = self._start(i)
        return any(process.poll() is None for process in self._processes)

    def _record_death(self, i: int, code: int) -> None:
        """Counts the deaths in the trial of a dead worker; after `TRIES`, the trial has failed.

        The chief gives the trial to the worker of the same name once more, which goes on with it,
        or reads its result.
        """
        name = self._names[i]
        cause = f"signal {-code}, perhaps out of memory" if code < 0 else f"exit code {code}"
        if code > 0 and not has_room(self._plan.folder):
            # Its log may lack the reason.
            raise full_disk(self._plan.state)
        trial = self._find_trial(name)
        if trial is None or code > 0:
            log = self._log(name)
            lines = log.read_text(errors="replace").strip().splitlines() or ["no output"]
            where = "outside of a trial" if trial is None else "in a trial"
            raise RuntimeError(f"{name} ended by {cause} {where}: {lines[-1]} (see {log})")
        path = trial / DEATHS
        deaths = 1 + (load_record(path)["count"] if path.is_file() else 0)
        save_record(path, {"count": deaths})
        number = trial.name.removesuffix(PARTIAL)
        warn(f"trial {number}: {name} ended by {cause}; restarting the worker")
        if deaths == TRIES:
            failed = f"its process ended {TRIES} times, the last time by {cause}"
            save_record(trial / RESULT, {"failed": failed})

    def _find_trial(self, worker: str) -> Path | None:
        """Folder of the trial that a worker was running."""
        for path in self._plan.trial_folder.glob(f"*{PARTIAL}/{WORKER}"):
            if path.read_text(encoding="utf-8") == worker:
                return path.parent
        return None

    def _start(self, i: int) -> subprocess.Popen[bytes]:
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        environment = {
            **os.environ,
            "KERASTUNER_TUNER_ID": self._names[i],
            "KERASTUNER_ORACLE_IP": self._chief.host,
            "KERASTUNER_ORACLE_PORT": str(self._chief.port),
            # By default TensorFlow takes the whole memory of a GPU, which workers may share.
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
        if gpus := _visible_gpus():
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(share(gpus, self._count, i))
        with self._log(self._names[i]).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tuning.workers.worker"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
            )
        spec = WorkerSpec(self._plan, os.getpid(), share(cores, self._count, i))
        assert process.stdin is not None  # it is a pipe
        with process.stdin as pipe:
            pipe.write(pickle.dumps(spec))
        return process

    def _log(self, name: str) -> Path:
        return self._plan.logs / f"{name}.log"


def _visible_gpus() -> list[str]:
    """The GPUs that this process may use, as in CUDA_VISIBLE_DEVICES."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name and name != "-1"]
    try:
        output = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    except OSError:
        return []
    lines = [line for line in output.stdout.splitlines() if line.startswith("GPU ")]
    return [str(i) for i in range(len(lines))]
