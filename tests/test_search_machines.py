import json
import os
import signal
import subprocess
import time
from contextlib import ExitStack

import pytest
from searches import TINY, await_trials, children, command, finished, make_plan, write_space

from kerasclf.command import parse
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from tuning.execute import prepare_search
from tuning.options import SearchOptions
from tuning.options import make_plan as search_plan
from tuning.oracles import make_oracle
from tuning.workers.address import Address
from tuning.workers.chief import serve
from tuning.workers.membership import join


@pytest.fixture
def address():
    return Address.unused()


@pytest.fixture
def oracle(tmp_path):
    return make_oracle(make_plan(TrainConfig(name="x"), TINY, tmp_path), "fingerprint")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_machine_learns_that_the_search_has_ended(oracle, address):
    with ExitStack() as stack:
        with serve(oracle, "fingerprint", address):
            assert not address.is_free()
            membership = stack.enter_context(join(address, "fingerprint"))
            assert not membership.has_ended(timeout=0)
        # However late it asks: the chief has gone, and its port is free for another search.
        assert membership.has_ended(timeout=600)
    assert address.is_free()
    with join(address, "fingerprint") as membership:
        assert membership is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_machine_learns_that_the_chief_has_failed(oracle, address):
    def interrupt(stack):
        with serve(oracle, "fingerprint", address):
            memberships.append(stack.enter_context(join(address, "fingerprint")))
            raise KeyboardInterrupt

    memberships = []
    with ExitStack() as stack:
        with pytest.raises(KeyboardInterrupt):
            interrupt(stack)
        with pytest.raises(RuntimeError, match="stopped before the search ended; start it again"):
            memberships[0].has_ended(timeout=600)


@pytest.mark.parametrize("text", ["here", ":80", "here:", "here:0", "here:65536", "here:x"])
def test_no_address(text):
    with pytest.raises(UserError, match="expected HOST:PORT"):
        Address.parse(text)


def start(call):
    return subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def await_joined(process):
    """Waits until a command has joined; from then on it must learn how the search ends."""
    lines = []
    for line in process.stderr:
        if line.startswith("joined the search at "):
            return
        lines.append(line)
    pytest.fail("".join(lines))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_command_that_joins_as_the_search_ends_is_told_so(table, tmp_path, address):
    space = write_space(tmp_path, TINY)
    call = command(table, tmp_path, space, "--trials=4", f"--chief={address}")
    plan = search_plan(parse(SearchOptions, call[3:], "kerasclf search"))
    fingerprint = plan.fingerprint(prepare_search(plan))
    with serve(make_oracle(plan, fingerprint), fingerprint, address):
        other = subprocess.run([*call, "--dropout=0.4"], capture_output=True, text=True)
        joined = start(call)
        await_joined(joined)
        # Its workers are still being started.
    output, errors = joined.communicate()
    assert other.returncode == 2
    assert "leads another search" in other.stderr
    assert other.stderr.count("\n") == 1
    assert joined.returncode == 0, errors
    assert errors == ""
    assert output == f"the search at {address} has ended; its leaderboard is on that machine\n"


def first_worker(folder, leader):
    """Process id of the leader's only worker, as soon as it runs a trial."""
    end = time.monotonic() + 1800
    while not list((folder / "trials").glob("*.partial/worker")):
        assert leader.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    (worker,) = children(leader.pid)
    return worker


@pytest.mark.slow
def test_the_same_command_joins_by_the_chief(table, tmp_path, address):
    space = write_space(tmp_path, TINY)
    options = ("--algorithm=random", "--trials=6", "--epochs=2", "--final-seeds=1")
    call = command(table, tmp_path, space, *options, f"--chief={address}", "--json")
    folder = tmp_path / "greetings-search"
    leader = start(call)
    # The search cannot end while the leader's worker is stopped in the middle of a trial.
    worker = first_worker(folder, leader)
    os.kill(worker, signal.SIGSTOP)
    before = len(finished(folder))
    joined = start(call)
    await_joined(joined)
    await_trials(folder, before + 1, joined)
    os.kill(worker, signal.SIGCONT)
    output, errors = leader.communicate()
    assert leader.returncode == 0, errors
    result = json.loads(output)
    assert (result["completed"], result["finals"]) == (6, 3)
    output, errors = joined.communicate()
    assert joined.returncode == 0, errors
    assert json.loads(output) == {"joined": str(address)}


@pytest.mark.slow
def test_a_chief_killed_while_the_search_was_running_is_an_error(table, tmp_path, address):
    space = write_space(tmp_path, TINY)
    options = ("--trials=2", "--epochs=100000", "--patience=100000", f"--chief={address}")
    call = command(table, tmp_path, space, *options)
    leader = subprocess.Popen(call, start_new_session=True, stderr=subprocess.DEVNULL)
    first_worker(tmp_path / "greetings-search", leader)
    joined = start(call)
    await_joined(joined)
    os.killpg(leader.pid, signal.SIGKILL)
    leader.wait()
    output, errors = joined.communicate()
    assert joined.returncode == 1
    assert output == ""
    assert f"the chief at {address} stopped before the search ended" in errors
    assert errors.count("\n") == 1
