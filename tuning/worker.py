"""A worker's process: asks the chief for trials, runs them and reports, until none is left."""

import os
import pickle
import signal
import sys
import threading
import time
from dataclasses import dataclass

from tuning.plan import Search, identify

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Order:
    """What a worker is told on stdin.

    Attributes:
        search: the search.
        parent: process id of who started the worker.
        cores: processor cores that it may use; empty for all.
    """

    search: Search
    parent: int
    cores: tuple[int, ...]


def main() -> int:
    """Runs a worker; its name and the chief's address are in KerasTuner's variables."""
    order: Order = pickle.load(sys.stdin.buffer)
    # Who started the worker decides when it ends, also after Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(order.parent,), daemon=True).start()
    # Before TensorFlow is imported, which makes a thread for each core that it may use.
    if order.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, order.cores)
    if not sys.warnoptions:
        import warnings

        warnings.simplefilter("ignore")

    from kerasclf.job.prepare import prepare_job
    from tuning.oracles import IDENTITY, make_oracle
    from tuning.tuner import TrialTuner

    job = prepare_job(order.search.config)
    identity = identify(order.search.settings(job))
    tuner = TrialTuner(make_oracle(order.search, identity), order.search, job)
    if tuner.oracle.get_space().get(IDENTITY) != identity:
        print("the chief leads another search or has other data; give the same", file=sys.stderr)
        return 2
    tuner.search()
    return 0


def _end_with(parent: int) -> None:
    """Ends this process when its parent is gone: nobody would know of its trials."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
