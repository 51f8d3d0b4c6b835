import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf
import yaml
from google.protobuf import text_format

pytest.importorskip("tensorflow_serving", reason="needs the extra serving")

from tensorflow_serving.config import model_server_config_pb2

from export import saved_model
from export.serving.warmup import PLACE

WHOLE = ("saved_model.pb", "variables/variables.index", PLACE)


@pytest.fixture
def models(published, tmp_path):
    """A copy of the published models, to change."""
    shutil.copytree(published.parent, tmp_path / "served")
    return tmp_path / "served" / published.name


def read_config(root):
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((root / "models.config").read_text(), config)
    return {model.name: model for model in config.model_config_list.config}


def test_labels_follow_publish_and_rollback(models, run, capsys):
    def labels():
        (model,) = read_config(models.parent).values()
        return dict(model.version_labels)

    assert labels() == {"stable": 1, "canary": 2}
    assert saved_model.main([f"--to={models}", "--rollback"]) == 0
    assert labels() == {"stable": 1, "canary": 1}
    assert not (models / "2").exists()
    assert saved_model.main([str(run), f"--to={models}"]) == 0
    assert labels() == {"stable": 1, "canary": 3}
    assert saved_model.main([str(run), f"--to={models}"]) == 0
    assert labels() == {"stable": 3, "canary": 4}
    assert saved_model.main([f"--to={models}", "--rollback"]) == 0
    # What was stable before the rollback stays so.
    assert labels() == {"stable": 3, "canary": 3}
    capsys.readouterr()
    assert saved_model.main([f"--to={models}", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["versions"]
    assert [row["version"] for row in listed] == [1, 2, 3, 4]
    assert [row["withdrawn"] for row in listed] == [False, True, False, True]
    assert {row["run"] for row in listed} == {str(run)}
    for _ in range(2):
        code = saved_model.main([f"--to={models}", "--rollback"])
    assert code == 2
    assert "there is none to go back to" in capsys.readouterr().err
    assert labels() == {"stable": 1, "canary": 1}


def test_server_files(models, run):
    root = models.parent
    (model,) = read_config(root).values()
    assert (model.name, model.base_path) == ("greetings", "/models/greetings")
    assert model.model_version_policy.latest.num_versions == 3
    lines = [line for line in (root / "batching.config").read_text().splitlines() if line[0] != "#"]
    assert all(re.fullmatch(r"[a-z_]+ { value: [0-9]+ }", line) for line in lines)
    assert "enable: true" in (root / "monitoring.config").read_text()
    serving = yaml.safe_load((root / "compose.yaml").read_text())["services"]["serving"]
    assert serving["image"] == "tensorflow/serving:2.20.0"
    assert set(serving["ports"]) == {"8501:8501", "8500:8500"}
    deployment, service, scaler = yaml.safe_load_all((root / "kubernetes.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == serving["image"]
    assert container["args"] == serving["command"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} < container.keys()
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    named = {
        argument.split("/models/")[1] for argument in container["args"] if "/models/" in argument
    }
    assert named == {"models.config", "batching.config", "monitoring.config"}
    (root / "compose.yaml").write_text("services: {}\n")
    assert saved_model.main([str(run), f"--to={root}/other"]) == 0
    assert (root / "compose.yaml").read_text() == "services: {}\n"
    assert read_config(root).keys() == {"greetings", "other"}


def test_leftovers_are_removed_and_numbers_not_lost(run, tmp_path):
    folder = tmp_path / "served" / "greetings"
    # As of a process that was killed after it wrote the record, and of others before.
    (folder / ".1.partial" / "variables").mkdir(parents=True)
    (folder / "1.json").write_text("{}")
    (folder / ".123.1.json").touch()
    (folder.parent / ".123.models.config").touch()
    (folder / ".4.withdrawn").mkdir()
    assert saved_model.main([str(run), f"--to={folder}"]) == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"1.json", ".4.withdrawn", "5", "5.json"}
    assert not (folder.parent / ".123.models.config").exists()
    assert saved_model.main([str(run), f"--to={folder}/../."]) == 2


def test_records(published, run):
    record = json.loads((published / "1.json").read_text())
    assert (record["format"], record["version"], record["run"]) == (1, 1, str(run))
    assert record["labels"] == json.loads((run / "labels.json").read_text())


def test_bad_publications(run, published, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    cases = {
        "no run given": [],
        "no run ": [str(tmp_path / "none")],
        "expected one of them": [str(run), "--list", "--rollback"],
        "has notes.txt": [str(run), f"--to={tmp_path}/full"],
        "becomes the model's name": [str(run), f"--to={tmp_path}/a b"],
        "no model ": ["--list", f"--to={tmp_path}/none"],
        "no model given": ["--rollback"],
        "expected only versions": ["--list", f"--to={published.parent}"],
        "is not a folder": [str(run), f"--to={run}/labels.json/m"],
    }
    for message, arguments in cases.items():
        assert saved_model.main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"full"}


def test_without_the_extra_it_says_what_to_install(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("kerasclf.client.protos.NEEDED", "no_such_package")
    assert saved_model.main([str(run), f"--to={tmp_path}/m"]) == 3
    assert '"kerasclf[serving]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def start_publishing(run, folder):
    return subprocess.Popen(
        [sys.executable, "-m", "export.saved_model", str(run), f"--to={folder}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def see_versions(folder):
    """The versions that a server would see; each must be complete at every moment."""
    versions = [path for path in folder.glob("*") if path.name.isdecimal()]
    for path in versions:
        assert all((path / name).is_file() for name in WHOLE)
    return sorted(int(path.name) for path in versions)


@pytest.mark.slow
def test_two_at_once_publish_two_whole_versions(run, tmp_path):
    folder = tmp_path / "served" / "greetings"
    processes = [start_publishing(run, folder) for _ in range(2)]
    while any(process.poll() is None for process in processes):
        see_versions(folder)
        time.sleep(0.001)
    assert [process.wait() for process in processes] == [0, 0]
    assert see_versions(folder) == [1, 2]
    for number in (1, 2):
        signature = tf.saved_model.load(str(folder / str(number))).signatures["serving_default"]
        assert signature(text=tf.constant(["a"]))["version"].numpy() == [number]
    assert dict(read_config(folder.parent)["greetings"].version_labels) == {
        "stable": 1,
        "canary": 2,
    }


def check_nothing_was_published(run, folder):
    """The files of a killed process are not a version, and do not block the next publish."""
    assert see_versions(folder) == []
    assert saved_model.main([str(run), f"--to={folder}"]) == 0
    assert see_versions(folder) == [1]
    assert {path.name for path in folder.iterdir()} == {"1", "1.json"}


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["", "saved_model.pb"])
def test_a_publish_killed_while_it_writes_leaves_no_version(moment, run, tmp_path):
    folder = tmp_path / "served" / "greetings"
    process = start_publishing(run, folder)
    while not (folder / ".1.partial" / moment).exists():
        assert process.poll() is None
        time.sleep(0.001)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    check_nothing_was_published(run, folder)


# A publish ends with two renames, too close together to kill it between them from outside.
KILLED_AT_RENAMING = """
import os, signal, sys
from export.saved_model import main

target = sys.argv[1]

def watch(event, arguments):
    if event == "os.rename" and os.fspath(arguments[1]) == target:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
main(sys.argv[2:])
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["1.json", "1"])
def test_a_publish_killed_at_its_end_leaves_no_version(name, run, tmp_path):
    folder = tmp_path / "served" / "greetings"
    arguments = [str(folder / name), str(run), f"--to={folder}"]
    done = subprocess.run([sys.executable, "-c", KILLED_AT_RENAMING, *arguments], check=False)
    assert done.returncode == -signal.SIGKILL
    assert all((folder / ".1.partial" / part).is_file() for part in WHOLE)
    check_nothing_was_published(run, folder)
