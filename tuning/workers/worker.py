"""A worker process: runs one trial after another until the chief has no more."""

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass

from tuning.plan import SearchPlan

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker reads from stdin.

    Attributes:
        plan: the search.
        parent: process id of the command that started the worker.
        cores: processor cores that it may use; empty for all.
    """

    plan: SearchPlan
    parent: int
    cores: tuple[int, ...]


def main() -> int:
    """Runs a worker; KerasTuner's environment variables have its name and the chief's address."""
    spec: WorkerSpec = pickle.load(sys.stdin.buffer)
    # Ctrl-C reaches the parent, too, which then stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, args=(spec.parent,), daemon=True).start()
    # Before TensorFlow is imported, which starts a thread for each core that it may use.
    if spec.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, spec.cores)
    if not sys.warnoptions:
        import warnings

        warnings.simplefilter("ignore")

    import grpc

    from kerasclf.job.prepare import prepare_job
    from tuning.oracles import make_oracle
    from tuning.workers.tuner import TrialTuner

    job = prepare_job(spec.plan.config)
    # KerasTuner replaces the oracle with a client of the chief's; only its objective is used.
    oracle = make_oracle(spec.plan, spec.plan.fingerprint(job))
    try:
        TrialTuner(oracle, spec.plan, job).search()
    except Exception as error:
        traceback.print_exc()
        # The last line of the log is what the search says; a call of the chief has a message of
        # many lines.
        message = error.details() if isinstance(error, grpc.Call) else str(error)
        print(" ".join(message.split()), file=sys.stderr)
        return 1
    return 0


def _exit_with_parent(parent: int) -> None:
    """Exits when the parent is gone: nobody would restart this worker or record its failure."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
