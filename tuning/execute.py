"""A search from its plan to its result: this process leads it, or joins the one that does."""

import contextlib
import time
from dataclasses import replace

from kerasclf.console import quiet_imports, say
from kerasclf.errors import UserError
from kerasclf.files import check_writable
from kerasclf.job.job import Job
from kerasclf.job.prepare import prepare_job
from kerasclf.run.hold import lock
from tuning.plan import SearchPlan
from tuning.result import JoinedSearch, SearchResult
from tuning.workers.address import Address
from tuning.workers.membership import Membership, join
from tuning.workers.pool import WorkerPool

JOIN_SECONDS = 60.0
"""How long to wait for a chief that does not respond yet."""
POLL_SECONDS = 0.5


def prepare_search(plan: SearchPlan) -> Job:
    """Reads and splits the data, and checks every file that a trial will need.

    Raises:
        UserError: the data or a file of the user's cannot be used; nothing was written.
    """
    job = prepare_job(plan.config)
    for weights in plan.space.choices.get("class_weights", ()):
        replace(job, config=replace(job.config, class_weights=weights)).check_files()
    check_writable(plan.folder / "new")
    return job


def run_search(
    plan: SearchPlan, job: Job, chief: Address | None = None, workers: int = 1
) -> SearchResult | JoinedSearch:
    """Runs a search, resumes an interrupted one, or joins one that is running.

    The first process that listens at the chief's address leads the search; later ones join it.

    Args:
        plan: the search.
        job: of `prepare_search`.
        chief: where the chief listens; None for a search of this process alone.
        workers: number of worker processes to start on this machine.

    Returns:
        The result of the search, or where it was joined.

    Raises:
        UserError: the folder has another search, another process holds it, the chief leads another
            search, or no chief responds.
        RuntimeError: no trial has completed, a worker cannot run, or the chief stopped while the
            search was still running.
    """
    address = chief or Address.unused()
    fingerprint = plan.fingerprint(job)
    deadline = time.monotonic() + (JOIN_SECONDS if chief else 0)
    while True:
        if not address.is_free():
            with join(address, fingerprint) as membership:
                if membership is not None:
                    return _follow(plan, address, membership, workers)
            if plan.has_ended(job):
                return {"joined": str(address)}
            error = UserError(f"no search responds at {address}; start it on that machine first")
        else:
            plan.folder.mkdir(parents=True, exist_ok=True)
            with contextlib.ExitStack() as stack:
                try:
                    stack.enter_context(lock(plan.lock, plan.folder, "searched"))
                except UserError as held:
                    # Perhaps by a chief that does not listen yet, or that is about to exit.
                    error = held
                else:
                    plan.record_settings(job)
                    return _lead(plan, fingerprint, address, workers)
        if time.monotonic() >= deadline:
            raise error
        time.sleep(POLL_SECONDS)


def _lead(plan: SearchPlan, fingerprint: str, address: Address, workers: int) -> SearchResult:
    with quiet_imports():
        from tuning.leaderboard import read_reason, write_leaderboard
        from tuning.oracles import make_oracle
        from tuning.progress import ProgressDisplay
        from tuning.workers.chief import serve

    oracle = make_oracle(plan, fingerprint)
    if plan.state.is_file():
        oracle.reload()
        say(f"{plan.folder}: resuming after {len(oracle.end_order)} trials")
    for path in plan.folder.glob(".[0-9]*"):
        # A file that was being written when the search was killed.
        path.unlink()
    try:
        with serve(oracle, fingerprint, address):
            with (
                WorkerPool(plan, address, workers) as pool,
                ProgressDisplay(plan, oracle) as display,
            ):
                say(f"{plan.folder}: {plan.trials} trials, chief at {address}")
                while pool.supervise():
                    display.update()
                    time.sleep(POLL_SECONDS)
            result = write_leaderboard(plan, oracle)
    except KeyboardInterrupt:
        say("resume with the same command")
        raise
    if "best" not in result:
        reason = read_reason(plan, oracle.searched()[0])
        raise RuntimeError(f"no trial of {plan.folder} has completed; the first failed: {reason}")
    return result


def _follow(plan: SearchPlan, chief: Address, membership: Membership, workers: int) -> JoinedSearch:
    with WorkerPool(plan, chief, workers) as pool:
        say(f"joined the search at {chief} with {workers} workers")
        while not membership.has_ended(timeout=POLL_SECONDS):
            try:
                pool.supervise()
            except RuntimeError:
                # A worker also dies when the chief stops during one of its calls.
                if not membership.has_ended(timeout=5.0):
                    raise
    return {"joined": str(chief)}
