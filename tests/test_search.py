import json
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import SMALL

from kerasclf.command import parse
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.job.prepare import Job, prepare_job
from kerasclf.train import main as train
from tuning.algorithms import ALGORITHMS
from tuning.execute import prepare_search
from tuning.options import SearchOptions
from tuning.options import make_plan as search_plan
from tuning.oracles import make_oracle, winner
from tuning.plan import SearchPlan
from tuning.search import main as search_main
from tuning.space import Space, read_space
from tuning.trial import TrialError, run_trial, summarize
from tuning.workers.address import Address
from tuning.workers.chief import serve
from tuning.workers.membership import join
from tuning.workers.pool import share

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


def state_of(folder):
    return json.loads((folder / "state.json").read_text())


def finished(folder):
    """The results of the trials that have ended, and when they were written."""
    paths = (folder / "trials").glob("[0-9][0-9][0-9][0-9]/result.json")
    return {path.parent.name: (path.read_text(), path.stat().st_mtime_ns) for path in paths}


def make_plan(config, choices, folder, **changes):
    plan = SearchPlan(config, Space(choices), "grid", 4, "macro_f1", 0, None, None, folder)
    return replace(plan, **changes)


# Spaces


def test_transformer72_has_exactly_72_distinct_trials():
    space = read_space(SPACES / "transformer72.yaml")
    configs = {TrainConfig(**chosen).to_yaml() for chosen in space.combinations()}
    assert space.size == len(configs) == 72
    assert space.choices["learning_rate"] == [1e-5, 2e-5, 3e-5, 5e-5]


@pytest.mark.parametrize("path", sorted(SPACES.iterdir()), ids=lambda path: path.name)
def test_stored_spaces_hold_valid_options(path):
    read_space(path).check(TrainConfig())


BAD_SEARCHES = {
    "typo": ("learnin_rate: [0.1]", [], "has 'learnin_rate'; perhaps you meant learning_rate"),
    "field of the job": ("seed: [1, 2]", [], "'seed', which is the same for all trials"),
    "no list": ("epochs: 3", [], "has epochs: 3; expected a list"),
    "wrong type": ("learning_rate: [1e-5]", [], "'1e-5'; expected float"),
    "null": ("dropout: [null, 0.1]", [], "dropout: null"),
    "twice": ("epochs: [3, 3]", [], "a value of epochs twice"),
    "out of range": ("dropout: [0.1, 3.0]", [], "--dropout is 3.0; expected 0.0 to 0.95"),
    "unknown weights": ("class_weights: [heavy]", [], "--class-weights is 'heavy'"),
    "no YAML": ("a: [", [], "is not YAML"),
    "empty": ("", [], "holds NoneType; expected lines such as"),
    "no trials": ("epochs: [1, 2]", ["--trials=0"], "--trials is 0; expected at least 1"),
    "trials not given": ("epochs: [1, 2]", [], "--algorithm random needs --trials N"),
    "no workers": ("epochs: [1, 2]", ["--workers=0"], "--workers is 0"),
    "no latency": ("epochs: [1, 2]", ["--max-latency=0"], "--max-latency is 0.0; expected over 0"),
    "two on epochs": (
        "epochs: [1, 2]",
        ["--algorithm=hyperband", "--trials=3"],
        "has epochs, which hyperband chooses",
    ),
    "no address": ("epochs: [1, 2]", ["--trials=1", "--chief=here"], "expected HOST:PORT"),
    "no data": ("epochs: [1]", ["--trials=1", "--text-column=t"], "no column 't'"),
    "no export": (
        "encoder: [bytes, bert_tiny_en_uncased]",
        ["--trials=1", "--max-size=1000"],
        "need --encoder bytes",
    ),
}


@pytest.mark.parametrize("case", BAD_SEARCHES)
def test_bad_search_input(case, table, tmp_path, capsys):
    content, options, message = BAD_SEARCHES[case]
    path = tmp_path / "space.yaml"
    path.write_text(content)
    if case == "unknown weights":
        options = ["--trials=1"]
    arguments = [f"--data={table}", f"--space={path}", f"--output={tmp_path}/runs", *options]
    fails(capsys, search_main(arguments), message)
    assert [entry.name for entry in tmp_path.iterdir()] == ["space.yaml"]


@pytest.mark.parametrize("path", ["none.yaml", "."])
def test_unreadable_space(path, table, tmp_path, capsys):
    arguments = [f"--data={table}", f"--space={tmp_path / path}", f"--output={tmp_path}/runs"]
    fails(capsys, search_main(arguments), "there is no --space")
    assert list(tmp_path.iterdir()) == []


def fails(capsys, code, message):
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err), captured.err


# Trials


class Sealed(Job):
    """A job whose test rows nobody may read."""

    def rows(self, split):
        assert split != "test"
        return super().rows(split)

    def texts_and_class_ids(self, split):
        assert split != "test"
        return super().texts_and_class_ids(split)


@pytest.fixture
def sealed(run):
    config = TrainConfig.from_yaml(run / "config.yaml")
    job = prepare_job(config)
    return config, Sealed(**vars(job))


def test_a_trial_is_a_run_without_its_test(run, sealed, tmp_path):
    config, job = sealed
    choices = {"class_weights": ["effective", "none"]}
    plan = make_plan(config, choices, tmp_path)
    rows = {}
    for weights in choices["class_weights"]:
        values = plan.encode({"class_weights": weights})
        result = run_trial(plan, job, weights, values, "worker")
        history = pd.read_csv(tmp_path / "trials" / weights / "history.csv")
        assert result["val_macro_f1"] == history["val_macro_f1"].max()
        rows[weights] = history.drop(columns="seconds")
    # The run has effective weights: a trial with them has its very losses, one without has not.
    own = pd.read_csv(run / "history.csv").drop(columns="seconds")
    pd.testing.assert_frame_equal(rows["effective"], own)
    assert (rows["none"]["loss"][:3] != own["loss"][:3]).all()
    left = {path.name for path in (tmp_path / "trials" / "none").iterdir()}
    assert left == {"config.yaml", "history.csv", "result.json", "tensorboard"}


def test_a_finished_trial_is_read_and_one_of_another_search_is_not(sealed, tmp_path):
    config, job = sealed
    plan = make_plan(replace(config, epochs=1), {"filters": [4, 8]}, tmp_path)
    first = run_trial(plan, job, "0000", plan.encode({"filters": 4}), "worker")
    path = tmp_path / "trials" / "0000" / "result.json"
    path.write_text(json.dumps({**first, "seconds": -1.0}))
    again = run_trial(plan, job, "0000", plan.encode({"filters": 4}), "worker")
    assert again["seconds"] == -1
    other = run_trial(plan, job, "0000", plan.encode({"filters": 8}), "worker")
    assert other["seconds"] > 0


def test_a_loss_that_is_no_number_fails_a_trial():
    row = {"epoch": 2, "loss": math.nan, "val_loss": 1.0}
    with pytest.raises(TrialError, match="the loss is nan in epoch 2"):
        summarize([row])


def test_costs_are_those_of_the_exported_file(sealed, tmp_path):
    config, job = sealed
    base = replace(config, epochs=1)
    plan = make_plan(base, {"filters": [8]}, tmp_path, max_size=10**6, max_latency=1e3)
    result = run_trial(plan, job, "0000", plan.encode({"filters": 8}), "worker")
    assert 512 * 8 < result["bytes"] < 10**6
    assert 0 < result["p95_ms"] < 1e3
    plan = make_plan(base, {"filters": [8]}, tmp_path / "small", max_size=1000)
    with pytest.raises(TrialError, match="bytes are over --max-size"):
        run_trial(plan, job, "0000", plan.encode({"filters": 8}), "worker")


def test_shares_of_cores():
    assert [share([0, 1, 2, 3, 4], 2, i) for i in range(2)] == [(0, 2, 4), (1, 3)]
    assert [share([0, 1], 3, i) for i in range(3)] == [(0,), (1,), (0,)]
    assert share([], 2, 0) == ()


# Oracles, with scores that are a function of the values


def advance(oracle, trial):
    chosen = oracle.plan.decode(trial.hyperparameters.values)
    score = chosen["learning_rate"] + chosen["filters"] / 100 - chosen["dropout"]
    oracle.update_trial(trial.trial_id, {"val_macro_f1": score})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)


def walk(plan, cut):
    """Has an oracle propose to its end, and leaves it for a new one at some moments."""
    oracle = make_oracle(plan, "fingerprint")
    oracle.verbose = 0
    moments = random.Random(0)
    while (trial := oracle.create_trial("tuner")).status != "STOPPED":
        assert trial.status == "RUNNING"
        advanced = not cut or moments.random() < 0.7
        if advanced:
            advance(oracle, trial)
        if cut and (not advanced or moments.random() < 0.5):
            oracle = make_oracle(plan, "fingerprint")
            oracle.verbose = 0
            oracle.reload()
    return oracle


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_oracle_proposes_each_trial_once_then_the_finals(algorithm, cut, tmp_path):
    config = TrainConfig(epochs=3, name="x")
    size = Space(TINY).size
    trials = 9 if algorithm == "hyperband" else size
    plan = make_plan(config, TINY, tmp_path, algorithm=algorithm, trials=trials, final_seeds=2)
    oracle = walk(plan, cut)
    searched = oracle.searched()
    assert len(searched) == trials
    assert {trial.status for trial in oracle.trials.values()} == {"COMPLETED"}
    configs = {plan.trial_config(t.hyperparameters.values).to_yaml() for t in searched}
    assert len(configs) == trials
    seeds = [
        sorted(plan.trial_config(t.hyperparameters.values).seed for t in oracle.finals(trial))
        for trial in oracle.ranked()[:4]
    ]
    assert seeds == [[1, 2], [1, 2], [1, 2], []]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_finals_decide(tmp_path):
    plan = make_plan(TrainConfig(name="x"), {"filters": [4, 8]}, tmp_path, trials=2)
    plan = replace(plan, final_seeds=2)
    oracle = make_oracle(plan, "fingerprint")
    oracle.verbose = 0
    for score in (0.9, 0.8, 0.5, 0.6, 0.7, 0.75):
        trial = oracle.create_trial("tuner")
        oracle.update_trial(trial.trial_id, {"val_macro_f1": score})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert oracle.create_trial("tuner").status == "STOPPED"
    assert oracle.ranked()[0].trial_id == "0000"
    assert winner(oracle).trial_id == "0001"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_worker_stops_before_every_trial_has_ended(tmp_path):
    plan = make_plan(TrainConfig(name="x"), {"filters": [4]}, tmp_path, trials=1, final_seeds=1)
    oracle = make_oracle(plan, "fingerprint")
    oracle.verbose = 0
    for seed in (0, 1):
        trial = oracle.create_trial("first")
        assert plan.trial_config(trial.hyperparameters.values).seed == seed
        assert oracle.create_trial("second").status == "IDLE"
        oracle.update_trial(trial.trial_id, {"val_macro_f1": 0.5})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert oracle.create_trial("first").status == "STOPPED"
    assert oracle.create_trial("second").status == "STOPPED"


# Whole searches


@pytest.fixture(scope="module")
def searched(table, tmp_path_factory):
    """A search with a trial that cannot load its encoder."""
    output = tmp_path_factory.mktemp("search")
    space = write_space(output, {"filters": [4, 8], "encoder": ["bytes", str(output / "none")]})
    arguments = (table, output, space, "--algorithm=grid", "--epochs=3", "--final-seeds=1")
    return arguments, json.loads(run_search(*arguments, "--json").stdout), output


def test_search_leaves_a_leaderboard_and_a_usable_configuration(searched, tmp_path):
    _, result, output = searched
    folder = output / "greetings-search"
    assert (result["trials"], result["completed"], result["finals"]) == (4, 2, 2)
    leaderboard = pd.read_csv(folder / "leaderboard.csv", dtype={"trial": str})
    assert leaderboard["trial"].nunique() == 4
    assert leaderboard["outcome"].str.contains("failed: .*none").sum() == 2
    best = leaderboard[leaderboard["outcome"] == "best"].iloc[0]
    assert best["rank"] == 1
    assert best["final_mean"] == leaderboard["final_mean"].max()
    page = (folder / "leaderboard.html").read_text()
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert 'src="' not in page
    # A run of best.yaml is the trial, then measured on the test rows.
    assert train([f"--config={folder}/best.yaml", f"--output={tmp_path}"]) == 0
    metrics = json.loads((tmp_path / "greetings" / "1" / "metrics.json").read_text())
    assert metrics["training"]["best_val_macro_f1"] == best["val_macro_f1"]
    assert metrics["training"]["epochs"] == best["epochs"]


def test_a_finished_search_repeats_nothing_and_refuses_other_options(searched):
    arguments, result, output = searched
    folder = output / "greetings-search"
    before = finished(folder)
    assert json.loads(run_search(*arguments, "--json").stdout) == result
    assert finished(folder) == before
    done = subprocess.run(
        command(*arguments, "--dropout=0.4"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "was started with another --dropout" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def former_search(searched, tmp_path):
    """The search as the version before format numbers and --loss left it, cut off at its end."""
    folder = searched[2] / "greetings-search"
    shutil.copytree(folder, tmp_path / "search")
    for path in folder.rglob("*.json"):
        record = json.loads(path.read_text())
        assert record.pop("format") == 1
        if path.name == "search.json":
            assert record.pop("loss") == "focal"
        if path.name == "state.json":
            # Its last trial had ended, which was not saved any more.
            last = record["trials"][-1]
            assert record["end_order"].pop() == last["trial_id"]
            last |= {"status": "RUNNING", "score": None}
        path.write_text(json.dumps(record))
    for path in (folder / "trials").glob("*/config.yaml"):
        lines = path.read_text().splitlines(keepends=True)
        former = [line for line in lines if not line.startswith(("format:", "loss:"))]
        assert len(former) == len(lines) - 2
        path.write_text("".join(former))
    yield folder
    shutil.rmtree(folder)
    shutil.move(tmp_path / "search", folder)


def test_a_search_of_the_former_version_is_resumed(searched, former_search):
    arguments, result, _ = searched
    before = finished(former_search)
    done = run_search(*arguments, "--json")
    assert "resuming after 5 trials" in done.stderr
    assert json.loads(done.stdout) == result
    assert finished(former_search) == before
    assert state_of(former_search)["format"] == 1


def test_a_folder_has_one_search(searched, capsys):
    from kerasclf.run.hold import lock

    arguments, _, output = searched
    folder = output / "greetings-search"
    before = sorted(folder.rglob("*"))
    with lock(folder / ".lock", folder, "searched"):
        fails(capsys, search_main(command(*arguments)[3:]), "is being searched by another process")
    assert sorted(folder.rglob("*")) == before


@pytest.mark.slow
def test_two_trials_of_transformer72(table, tmp_path):
    space = SPACES / "transformer72.yaml"
    options = ("--algorithm=grid", "--trials=2", "--final-seeds=0")
    result = json.loads(run_search(table, tmp_path, space, *options, "--json").stdout)
    assert result["completed"] == 2
    configs = [
        yaml.safe_load(path.read_text())
        for path in sorted((tmp_path / "greetings-search" / "trials").glob("*/config.yaml"))
    ]
    keys = ("learning_rate", "batch_size", "epochs", "warmup_share")
    assert [[config[key] for key in keys] for config in configs] == [
        [1e-5, 8, 3, 0.05],
        [1e-5, 8, 3, 0.1],
    ]


def await_trials(folder, count, process, seconds=1800):
    end = time.monotonic() + seconds
    while len(finished(folder)) < count:
        assert process.poll() is None, "the search ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_killed_and_resumed_search_has_the_same_trials(algorithm, table, tmp_path):
    space = write_space(tmp_path, TINY)
    arguments = (table, tmp_path, space, f"--algorithm={algorithm}", "--trials=5")
    arguments += ("--epochs=3", "--final-seeds=1", "--workers=2")
    folder = tmp_path / "greetings-search"
    process = subprocess.Popen(
        command(*arguments),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    await_trials(folder, random.randint(1, 5), process)
    time.sleep(random.uniform(0, 2))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = finished(folder)

    result = json.loads(run_search(*arguments, "--json").stdout)
    assert (result["trials"], result["completed"], result["finals"]) == (5, 5, 3)
    state = state_of(folder)
    assert len(state["trials"]) == len(set(state["end_order"])) == len(state["end_order"]) == 8
    after = finished(folder)
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    assert not list((folder / "trials").glob("*.partial"))


def children(pid):
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, 3])
def test_a_trial_is_tried_again_when_its_worker_is_killed(kills, table, tmp_path):
    space = write_space(tmp_path, {"filters": [4, 8, 16]})
    options = ("--algorithm=grid", "--epochs=20", "--patience=20", "--final-seeds=0", "--json")
    folder = tmp_path / "greetings-search"
    process = subprocess.Popen(
        command(table, tmp_path, space, *options), stdout=subprocess.PIPE, text=True
    )
    killed: list[int] = []
    end = time.monotonic() + 1800
    while len(killed) < kills:
        assert time.monotonic() < end
        time.sleep(0.02)
        deaths = [json.loads(path.read_text())["count"] for path in folder.rglob("deaths.json")]
        workers = set(children(process.pid)) - set(killed)
        in_trial = list((folder / "trials").glob("*.partial/config.yaml"))
        if in_trial and workers and sum(deaths) == len(killed):
            killed.extend(workers)
            os.kill(killed[-1], signal.SIGKILL)
    output, _ = process.communicate()
    result = json.loads(output)
    failed = kills == 3
    assert (result["trials"], result["completed"]) == (3, 2 if failed else 3)
    leaderboard = pd.read_csv(folder / "leaderboard.csv")
    assert leaderboard["outcome"].str.contains("ended 3 times, .* signal 9").sum() == failed


@pytest.mark.slow
def test_a_search_without_a_result_says_why(table, tmp_path):
    space = write_space(tmp_path, {"encoder": [str(tmp_path)], "epochs": [1, 2]})
    call = command(table, tmp_path, space, "--algorithm=grid")
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search("has completed; the first failed: .*no config.json", done.stderr)
    leaderboard = pd.read_csv(tmp_path / "greetings-search" / "leaderboard.csv")
    assert len(leaderboard) == 2
    assert not (tmp_path / "greetings-search" / "best.yaml").exists()


# Several machines


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


def test_no_chief_but_its_search_has_ended(searched, capsys):
    arguments = searched[0]
    with socket.socket() as other:
        # A port where no search responds.
        other.bind(("127.0.0.1", 0))
        chief = "{}:{}".format(*other.getsockname())
        call = [*command(*arguments)[3:], f"--chief={chief}", "--json"]
        assert search_main(call) == 0
    assert json.loads(capsys.readouterr().out) == {"joined": chief}


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
