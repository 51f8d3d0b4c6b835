"""Commands on a file system that fills up: one line, exit 1, and they go on where they were."""

import subprocess
import sys

import pytest
from conftest import SMALL

from benchmarks.small_disk import SmallDisk
from kerasclf.errors import FullDiskError
from kerasclf.files import save_record, write_text
from kerasclf.temporary import is_temporary

pytestmark = pytest.mark.slow


ROOM = 100 * 1024
"""Bytes that are left."""


@pytest.fixture
def small_disk():
    with SmallDisk() as disk:
        if not disk.mounted:
            pytest.skip("may not mount a tmpfs")
        yield disk


def train(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "kerasclf.train", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


def test_a_training_goes_on_when_there_is_room(small_disk, table):
    folder = small_disk.folder
    with small_disk.filled(ROOM):
        code, lines = train(f"--data={table}", f"--output={folder}", "--linear=none", *SMALL)
    assert code == 1
    assert "no space left for" in lines[-1]
    assert not any("Traceback" in line for line in lines)
    (partial,) = (folder / table.stem).iterdir()
    assert lines[-1].endswith(f"go on with kerasclf train --resume {partial}")
    # Nothing half-written has a file's name.
    assert not [path for path in partial.rglob("*") if is_temporary(path)]
    code, lines = train(f"--resume={partial}")
    assert code == 0, lines
    assert (folder / table.stem / "1" / "report.html").is_file()


def test_files_are_whole_or_absent(small_disk):
    folder = small_disk.folder
    write_text(folder / "a.txt", "before")
    with small_disk.filled(ROOM):
        with pytest.raises(FullDiskError, match=r"no space left for .*a\.txt: 0\.1 MiB are free"):
            write_text(folder / "a.txt", "x" * 10**6)
        assert (folder / "a.txt").read_text() == "before"
        with pytest.raises(FullDiskError):
            save_record(folder / "b.json", {"a": "x" * 10**6})
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
