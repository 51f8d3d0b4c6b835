"""The workers of this machine: started, each on its own cores or GPU, watched and replaced."""

import os
import pickle
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self, TypeVar

from kerasclf.command import warn
from kerasclf.errors import UserError
from kerasclf.files import write_json
from kerasclf.layout import PARTIAL
from tuning.plan import RESULT, WORKER, Search
from tuning.worker import Order

STOP_SECONDS = 10
ItemT = TypeVar("ItemT")


def share(items: Sequence[ItemT], count: int, i: int) -> tuple[ItemT, ...]:
    """The i-th of `count` shares of cores or GPUs; one each where there are fewer than shares."""
    if len(items) <= count:
        return (items[i % len(items)],) if items else ()
    return tuple(items[i::count])


class Crew:
    """The workers that one command started."""

    def __init__(self, search: Search, address: tuple[str, int], count: int):
        """Makes a crew; it starts as a context manager.

        Args:
            search: the search.
            address: host and port of the chief.
            count: number of workers.
        """
        self._search, self._address, self._count = search, address, count
        # Unlike those of other machines; KerasTuner takes each name with "chief" in it for one.
        self._names = [f"worker-{secrets.token_hex(3)}-{i}" for i in range(count)]
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self._search.logs.mkdir(parents=True, exist_ok=True)
        self._processes = [self._start(i) for i in range(self._count)]
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for process in self._processes:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def tend(self) -> bool:
        """Replaces workers that died in a trial, and returns whether any is still at work.

        Raises:
            UserError: one found that the chief leads another search.
            RuntimeError: one ended where nothing but the search itself can be to blame.
        """
        for i, process in enumerate(self._processes):
            code = process.poll()
            if code:
                self._bury(i, code)
                self._processes[i] = self._start(i)
        return any(process.poll() is None for process in self._processes)

    def _bury(self, i: int, code: int) -> None:
        """Records the trial of a dead worker as failed; its successor is asked to run it again."""
        name = self._names[i]
        cause = f"signal {-code}, perhaps out of memory" if code < 0 else f"exit code {code}"
        for path in self._search.trial_folder.glob(f"*{PARTIAL}/{WORKER}"):
            if path.read_text(encoding="utf-8") == name:
                write_json(path.with_name(RESULT), {"failed": f"its process ended by {cause}"})
                trial = path.parent.name.removesuffix(PARTIAL)
                warn(f"trial {trial}: the process of {name} ended by {cause}; starting another")
                return
        log = self._log(name)
        last = (log.read_text(errors="replace").strip().splitlines() or ["no word"])[-1]
        if code == 2:
            raise UserError(last)
        raise RuntimeError(f"{name} ended by {cause} outside of a trial: {last} (see {log})")

    def _start(self, i: int) -> subprocess.Popen[bytes]:
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        host, port = self._address
        environment = {
            **os.environ,
            "KERASTUNER_TUNER_ID": self._names[i],
            "KERASTUNER_ORACLE_IP": host,
            "KERASTUNER_ORACLE_PORT": str(port),
            # Workers may have to share a GPU, whose memory TensorFlow else takes whole.
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
        if gpus := _gpus():
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(share(gpus, self._count, i))
        with self._log(self._names[i]).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tuning.worker"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
            )
        order = Order(self._search, os.getpid(), share(cores, self._count, i))
        with process.stdin as pipe:
            pipe.write(pickle.dumps(order))
        return process

    def _log(self, name: str) -> Path:
        return self._search.logs / f"{name}.log"


def _gpus() -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES has them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name and name != "-1"]
    try:
        found = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    except OSError:
        return []
    lines = [line for line in found.stdout.splitlines() if line.startswith("GPU ")]
    return [str(i) for i in range(len(lines))]
