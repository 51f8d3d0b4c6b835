"""The chief: KerasTuner's server for the workers."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from kerasclf.job.prepare import Job
from tuning.address import await_chief
from tuning.oracles import SearchOracle
from tuning.plan import Search
from tuning.tuner import TrialTuner

LEAVE_SECONDS = 10


@contextmanager
def serve(oracle: SearchOracle, search: Search, job: Job, address: tuple[str, int]) -> Iterator:
    """Serves an oracle as long as the block lasts, and until workers elsewhere know of the end."""
    host, port = address
    variables = {
        "KERASTUNER_TUNER_ID": "chief",
        "KERASTUNER_ORACLE_IP": host,
        "KERASTUNER_ORACLE_PORT": str(port),
    }
    os.environ.update(variables)
    try:
        tuner = TrialTuner(oracle, search, job)
        # KerasTuner's server looks only every 20 s whether it may end: it is left behind.
        threading.Thread(target=tuner.search, kwargs={"verbose": 0}, daemon=True).start()
        await_chief(address)
        yield
        end = time.monotonic() + LEAVE_SECONDS
        while oracle.tuner_ids and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        for name in variables:
            os.environ.pop(name, None)
