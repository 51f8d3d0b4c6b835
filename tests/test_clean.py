"""What killed processes left: removed by the next writer, or listed and removed by `clean`."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from conftest import SMALL
from filelock import FileLock

from export.program.output import whole
from kerasclf import cli
from kerasclf.errors import UserError
from kerasclf.files import write_text
from kerasclf.run.hold import remove_unbegun
from kerasclf.temporary import DAY, beside
from kerasclf.train import main as train


@pytest.fixture
def dead(tmp_path):
    """The function `beside` of a process that has ended."""
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1)
    ended = int(done.stdout)

    def name(path):
        return path.with_name(beside(path).name.replace(f".{os.getpid()}-", f".{ended}-", 1))

    return name


def clean(capsys, *arguments):
    code = cli.main(["clean", *map(str, arguments), "--json"])
    assert code == 0
    return {item["path"]: item for item in json.loads(capsys.readouterr().out)["leftovers"]}


def test_the_next_writer_removes_what_a_killed_one_left(dead, tmp_path):
    file, folder = tmp_path / "a.json", tmp_path / "page"
    dead(file).write_text("half")
    (dead(folder) / "wasm").mkdir(parents=True)
    of_another_file = dead(tmp_path / "b.json")
    of_another_file.touch()
    being_written = beside(tmp_path / "c.a.json")
    being_written.touch()
    write_text(file, "whole")
    with whole(folder) as making:
        (making / "index.html").touch()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.json", "page", of_another_file.name, being_written.name}
    assert [path.name for path in folder.iterdir()] == ["index.html"]


def test_a_folder_that_another_process_made_is_not_replaced(tmp_path):
    with pytest.raises(UserError, match="another process has written"), whole(tmp_path / "a"):
        (tmp_path / "a" / "b").mkdir(parents=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_clean_lists_and_removes(dead, run, tmp_path, capsys):
    half = dead(tmp_path / "scored" / "a.csv")
    batch = tmp_path / "scored" / ".posts.0123abcd.partial"
    version = tmp_path / "saved_models" / "m" / ".3.partial"
    unbegun = tmp_path / "runs" / "a" / "2.partial"
    for folder in (batch, version, unbegun):
        folder.mkdir(parents=True)
    half.write_text("a" * 100)
    (batch / "lock").touch()
    (unbegun / ".lock").touch()
    unfinished = shutil.copytree(run, tmp_path / "runs" / "a" / "1.partial")
    shutil.copytree(run, tmp_path / "runs" / "a" / "3")
    whole_files = {path for path in tmp_path.rglob("*") if "1.partial" not in str(path)}
    partial = {half, batch, batch / "lock", version, unbegun, unbegun / ".lock"}

    found = clean(capsys, tmp_path)
    assert set(found) == {str(path) for path in (half, batch, version, unbegun, unfinished)}
    assert found[str(half)] == {
        "path": str(half),
        "bytes": 100,
        "is_run": False,
        "removed": False,
    }
    assert found[str(unfinished)]["is_run"]
    assert half.is_file()

    found = clean(capsys, tmp_path, "--remove")
    assert [path for path, item in found.items() if not item["removed"]] == [str(unfinished)]
    assert unfinished.is_dir()
    clean(capsys, tmp_path, "--unfinished")
    assert set(tmp_path.rglob("*")) == whole_files - partial
    assert cli.main(["clean", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing was left\n"


def test_clean_leaves_what_is_in_use(run, tmp_path, capsys):
    batch = tmp_path / ".posts.0123abcd.partial"
    spark = tmp_path / ".posts.0123abce.partial"
    search = tmp_path / "a-search" / "trials" / "0000.partial"
    unfinished = shutil.copytree(run, tmp_path / "runs" / "a" / "1.partial")
    foreign = tmp_path / "notes.partial"
    for folder in (batch, spark, search, foreign):
        folder.mkdir(parents=True)
    (search / "config.yaml").touch()
    being_written = beside(tmp_path / "a.csv")
    being_written.touch()
    locks = [batch / "lock", search.parents[1] / ".lock", unfinished / ".lock"]
    with FileLock(locks[0]), FileLock(locks[1]), FileLock(locks[2]):
        assert clean(capsys, tmp_path, "--remove", "--unfinished") == {}
    for path in (tmp_path / "runs" / "a" / "2.partial", tmp_path / "runs" / "a" / "4.partial"):
        path.mkdir()
    # A folder that was just created has no lock yet.
    remove_unbegun(tmp_path / "runs" / "a")
    assert path.is_dir()
    long_ago = time.time() - 2 * DAY
    os.utime(spark, (long_ago, long_ago))
    left = (batch, spark, search, unfinished)
    assert set(clean(capsys, tmp_path)) == {str(path) for path in left}


def test_clean_needs_folders(tmp_path, capsys, monkeypatch):
    assert cli.main(["clean", str(tmp_path / "none")]) == 2
    assert "no folder" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert cli.main(["clean"]) == 0


def test_the_same_training_goes_on(table, tmp_path, capsys, monkeypatch):
    arguments = [f"--data={table}", f"--output={tmp_path}", "--linear=none", *SMALL]
    with monkeypatch.context() as patch:

        def interrupt(*_):
            raise KeyboardInterrupt

        patch.setattr("kerasclf.job.execute.measure", interrupt)
        assert train(arguments) == 1
    (partial,) = (tmp_path / table.stem).iterdir()
    assert train([*arguments, "--seed=3"]) == 0
    assert {path.name for path in partial.parent.iterdir()} == {"1.partial", "2"}
    capsys.readouterr()
    assert train(arguments) == 0
    assert f"going on with {partial}, which was interrupted" in capsys.readouterr().err
    assert {path.name for path in partial.parent.iterdir()} == {"1", "2"}
    # A finished run is not gone on with.
    assert train(arguments) == 0
    assert (partial.parent / "3").is_dir()
