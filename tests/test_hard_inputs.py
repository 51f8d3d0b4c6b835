"""Inputs that are damaged, huge or malicious end in one short line and exit 2."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from kerasclf import cli
from kerasclf.console import printable, shorten


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hard")
    rows = {"text": [f"teks nomor {i}" for i in range(40)], "label": ["a", "b"] * 20}
    frame = pd.DataFrame(rows)
    frame.to_csv(folder / "t.csv", index=False)
    frame.to_parquet(folder / "t.parquet")
    content = bytearray((folder / "t.parquet").read_bytes())
    for position in range(60, 120):
        content[position] ^= 0xFF
    (folder / "t.parquet").write_bytes(content)
    (folder / "array.jsonl").write_text("[" * 100_000 + "\n")
    (folder / "object.jsonl").write_text('{"a":' * 50_000 + "\n")
    (folder / "key.jsonl").write_text('{"text\\ud800": "a", "label": "x"}\n' * 3)
    frame.loc[0, "label"] = "L" * 5_000_000
    frame.to_csv(folder / "long.csv", index=False)
    return folder


CASES = {
    "corrupt snappy": (["doctor", "t.parquet"], "is not a complete Parquet file"),
    "deep array": (["doctor", "array.jsonl"], "line 1: not JSON"),
    "deep object": (["doctor", "object.jsonl"], "line 1: not JSON"),
    "lone surrogate in a key": (["doctor", "key.jsonl"], "has no column 'text', only text?"),
    "a label of 5 MB": (["doctor", "long.csv"], "expected at least 3"),
    "no encoding": (["doctor", "t.csv", "--encoding=undefined"], "unknown encoding 'undefined'"),
    "a long file name": (["doctor", "x" * 300 + ".csv"], "a name is too long"),
    "a long name": (["train", "--data=t.csv", "--name=" + "n" * 300], "too long"),
    "a name of two lines": (["train", "--data=t.csv", "--name=a\nb"], "line breaks"),
    "a line break": (["doctor", "a\nb.csv"], "there is no file"),
    "an escape sequence": (["doctor", "a\x1b[31m\u202e.csv"], r"a\x1b[31m\u202e.csv"),
    "a column with an escape": (["doctor", "t.csv", "--text-column=\x1b[31m"], r"\x1b[31m"),
    "a zero": (["predict", "\0", "x"], r"no run \x00"),
    "a folder that is no run": (["train", "--resume=."], "no unfinished run"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_short_line(case, folder, monkeypatch, capsys):
    arguments, message = CASES[case]
    monkeypatch.chdir(folder)
    capsys.readouterr()
    assert cli.main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert len(printed.err) <= 501
    assert message in printed.err
    assert not {"\x1b", "\0", "\u202e"} & set(printed.err)


@pytest.mark.parametrize("text", ["", "halo dunia", "ꦱꦸꦒꦼꦁ مرحبا", "👩‍👩‍👧‍👦 é", "a\u00a0b"])
def test_what_people_write_is_printed_as_it_is(text):
    assert printable(text) == text


def test_what_a_terminal_obeys_is_not():
    assert printable("a\nb\r\x07\x9b2J\u2066") == r"a\nb\r\x07\x9b2J\u2066"
    assert [len(shorten("x" * n, 10)) for n in (9, 10, 11, 1000)] == [9, 10, 9, 9]


def test_a_terminal_that_has_ascii_only(folder):
    """What it cannot show is escaped."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "kerasclf.doctor", str(folder / "t.csv"), "--text-column=é😀"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"'\\xe9\\U0001f600'" in done.stderr
    assert done.stderr.count(b"\n") == 1
