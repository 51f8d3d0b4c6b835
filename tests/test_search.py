import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time

import pandas as pd
import pytest
import yaml
from conftest import fails
from searches import (
    SPACES,
    TINY,
    await_trials,
    children,
    command,
    finished,
    run_search,
    write_space,
)

from kerasclf.train import main as train
from tuning.algorithms import ALGORITHMS
from tuning.search import main as search_main


def state_of(folder):
    return json.loads((folder / "state.json").read_text())


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


def test_no_chief_but_its_search_has_ended(searched, capsys):
    arguments = searched[0]
    with socket.socket() as other:
        # A port where no search responds.
        other.bind(("127.0.0.1", 0))
        chief = "{}:{}".format(*other.getsockname())
        call = [*command(*arguments)[3:], f"--chief={chief}", "--json"]
        assert search_main(call) == 0
    assert json.loads(capsys.readouterr().out) == {"joined": chief}


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
