"""Commands on a file system that fills up: one line, exit 1, and they go on where they were."""

import os
import subprocess
import sys

import pytest
from conftest import SMALL

from kerasclf.errors import FullDiskError
from kerasclf.files import save_record, write_text

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path):
    """A folder with little room, and a function that gives it more."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options):
        command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    try:
        refused = mount("size=100k")
    except FileNotFoundError:
        refused = True
    if refused:
        pytest.skip("may not mount a tmpfs")
    yield folder, lambda size: mount(f"remount,size={size}")
    subprocess.run(["umount", "-l", str(folder)], check=True)


def train(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "kerasclf.train", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


def test_a_training_goes_on_when_there_is_room(small_disk, table):
    folder, resize = small_disk
    code, lines = train(f"--data={table}", f"--output={folder}", "--linear=none", *SMALL)
    assert code == 1
    assert "no space left for" in lines[-1]
    assert not any("Traceback" in line for line in lines)
    (partial,) = (folder / table.stem).iterdir()
    assert lines[-1].endswith(f"go on with kerasclf train --resume {partial}")
    # Nothing half-written has a file's name.
    assert not [path for path in partial.rglob("*") if path.name.startswith(f".{os.getpid()}")]
    assert resize("20m") == 0
    code, lines = train(f"--resume={partial}")
    assert code == 0, lines
    assert (folder / table.stem / "1" / "report.html").is_file()


def test_files_are_whole_or_absent(small_disk):
    folder, _ = small_disk
    write_text(folder / "a.txt", "before")
    with pytest.raises(FullDiskError, match=r"no space left for .*a\.txt: 0\.1 MiB are free"):
        write_text(folder / "a.txt", "x" * 10**6)
    assert (folder / "a.txt").read_text() == "before"
    with pytest.raises(FullDiskError):
        save_record(folder / "b.json", {"a": "x" * 10**6})
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
