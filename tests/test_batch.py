import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import SMALL

from export import batch, saved_model
from export.scoring import rows
from export.scoring.batch import RowCounts, count_rows
from export.scoring.labelling import LabelledPiece
from export.scoring.rows import plan_pieces, read_chunks
from export.scoring.table import find_table
from kerasclf import cli
from kerasclf.data import records
from kerasclf.data.table_writer import TableWriter
from kerasclf.train import main as train

TEXTS = ["selamat pagi", "good morning, Solo", 'he said "danke"', "two\nlines", "a\0b", "😀🇮🇩"]
TEXTS += [f"thank you {i}" for i in range(40)]
BAD_CSV = {
    b"x,": "empty text",
    b"x,   ": "empty text",
    b"x": "wrong number of cells",
    b"x,a,b": "wrong number of cells",
    b"x,\xff\xfe": "not UTF-8",
    b'x,"never closed': "row that does not parse",
    b'x,"closed" early': "row that does not parse",
}
BAD_JSON = {
    b"{}": "no text",
    b'{"text": null}': "no text",
    b'{"text": ""}': "empty text",
    b'{"text": 3}': "text is not a string",
    b'{"text": ["a"]}': "text is not a string",
    b"[1]": "not a JSON object",
    b"null": "not a JSON object",
    b'{"text": "cut o': "not JSON",
    b"[" * 100_000: "not JSON",
    b'{"text": "\xff"}': "not UTF-8",
}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Pieces and chunks that even small tables have several of."""
    monkeypatch.setattr(rows, "PIECE_ROWS", 17)
    monkeypatch.setattr(rows, "CHUNK_ROWS", 5)


def score(capsys, model, pattern, prefix, *more):
    arguments = [str(model), f"--input={pattern}", f"--output={prefix}", "--json", "--workers=1"]
    arguments += more
    code = batch.main(arguments)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


def read(prefix):
    paths = sorted(prefix.parent.glob(f"{prefix.name}-[0-9]*.parquet"))
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def read_dead(prefix):
    paths = sorted(prefix.parent.glob(f"{prefix.name}-dead-letter-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def write(path, texts):
    with TableWriter(path, path.suffix) as writer:
        writer.write(pd.DataFrame({"id": [str(i) for i in range(len(texts))], "text": texts}))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_predictions_equal_those_of_predict(run, tmp_path, capsys, suffix):
    path, plain = tmp_path / f"in{suffix}", tmp_path / "plain.parquet"
    write(path, TEXTS)
    result = score(capsys, run, path, tmp_path / "out" / "x")
    assert result["rows_read"] == result["rows_written"] == len(TEXTS)
    assert result["rows_dead"] == 0
    assert result["model_version"] == "greetings/1"
    assert len(result["files"]) == 3
    assert sorted(os.listdir(tmp_path / "out")) == [Path(file).name for file in result["files"]]
    assert cli.main(["predict", str(run), f"--input={path}", f"--output={plain}"]) == 0
    expected, scored = pd.read_parquet(plain), read(tmp_path / "out" / "x")
    assert scored["source_row"].tolist() == list(range(1, len(TEXTS) + 1))
    if suffix == ".jsonl":
        scored["id"] = [json.loads(line)["id"] for line in scored["source_line"]]
    for column in ("id", "text", "predicted_label", "review"):
        assert scored[column].tolist() == expected[column].tolist()
    for column in ("confidence", "p_de", "p_en", "p_id"):
        np.testing.assert_allclose(scored[column], expected[column], atol=1e-6)


def write_bad(folder, suffix):
    """A file of good and bad rows in a seeded order; its texts and reasons by row number."""
    reasons = BAD_CSV if suffix == ".csv" else BAD_JSON
    good = {
        (b"x,good %d" if suffix == ".csv" else b'{"text": "good %d"}') % i: None for i in range(60)
    }
    lines = [*good, *reasons, *reasons, *reasons]
    np.random.default_rng(0).shuffle(lines)
    # Blank lines are no rows.
    head = [b"\xef\xbb\xbfid,text"] if suffix == ".csv" else []
    path = folder / f"bad{suffix}"
    path.write_bytes(b"\n".join([*head, *lines[:9], b"", *lines[9:], b""]))
    return path, [(good | reasons)[line] for line in lines], lines


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_every_row_is_labelled_or_a_dead_letter(run, tmp_path, capsys, suffix):
    path, reasons, lines = write_bad(tmp_path, suffix)
    result = score(capsys, run, path, tmp_path / "x")
    bad = [row for row, reason in enumerate(reasons, start=1) if reason]
    assert result["rows_read"] == len(reasons) == result["rows_written"] + result["rows_dead"]
    assert result["dead_letters"] == pd.Series(reasons).value_counts().to_dict()
    dead = read_dead(tmp_path / "x")
    assert [letter["source_row"] for letter in dead] == bad
    assert [letter["reason"] for letter in dead] == [reasons[row - 1] for row in bad]
    assert [letter["raw"] for letter in dead] == [
        lines[row - 1].decode("utf-8", "backslashreplace") for row in bad
    ]
    # The blank line, and in a CSV the header, are lines, too.
    first = 2 if suffix == ".csv" else 1
    assert [letter["source_line"] for letter in dead] == [
        row - 1 + first + (row > 9) for row in bad
    ]
    scored = read(tmp_path / "x")
    assert scored["source_row"].tolist() == sorted(set(range(1, len(reasons) + 1)) - set(bad))
    assert all(text.startswith("good") for text in scored["text"])


def test_a_lone_surrogate_is_a_question_mark_as_for_predict(run, tmp_path, capsys):
    path, plain = tmp_path / "in.jsonl", tmp_path / "plain.parquet"
    path.write_text('{"text": "selamat \\ud83d pagi"}\n')
    score(capsys, run, path, tmp_path / "x")
    assert cli.main(["predict", str(run), f"--input={path}", f"--output={plain}"]) == 0
    assert read(tmp_path / "x")["text"].tolist() == ["selamat ? pagi"]
    expected = pd.read_parquet(plain)["p_id"]
    np.testing.assert_allclose(read(tmp_path / "x")["p_id"], expected, atol=1e-6)


def test_bad_rows_of_parquet(run, tmp_path, capsys):
    texts = [b"good", None, b"", b"\xff", b" ", b"selamat"] * 7
    strings = pa.array(texts, pa.binary()).view(pa.string())
    table = pa.table({"n": pa.array(range(42)), "text": strings})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=10)
    result = score(capsys, run, tmp_path / "in.parquet", tmp_path / "x")
    assert result["dead_letters"] == {"empty text": 14, "no text": 7, "not UTF-8": 7}
    scored, dead = read(tmp_path / "x"), read_dead(tmp_path / "x")
    assert scored["n"].tolist() == [i for i in range(42) if i % 6 in (0, 5)]
    assert scored["source_row"].tolist() == [n + 1 for n in scored["n"]]
    assert [json.loads(letter["raw"])["n"] for letter in dead] == [
        i for i in range(42) if i % 6 not in (0, 5)
    ]
    assert json.loads(dead[2]["raw"])["text"] == "\\xff"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("size", [1, 2, 5, 46, 1000])
def test_pieces_hold_every_row_once(tmp_path, monkeypatch, suffix, size):
    monkeypatch.setattr(rows, "PIECE_ROWS", size)
    write(tmp_path / f"in{suffix}", TEXTS)
    table = find_table(str(tmp_path / f"in{suffix}"), "text")
    pieces = list(plan_pieces(table.sources[0], table))
    assert all(0 < piece.rows <= size for piece in pieces)
    chunks = [chunk for piece in pieces for chunk in read_chunks(piece, table)]
    assert [text for chunk in chunks for text in chunk.texts] == TEXTS


def test_a_row_that_is_too_long_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MAX_ROW_BYTES", 1000)
    lines = ["text", "a", "x" * 5000, "b", '"open', *["c"] * 600, "d"]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    table = find_table(str(tmp_path / "in.csv"), "text")
    chunks = [c for p in plan_pieces(table.sources[0], table) for c in read_chunks(p, table)]
    assert [text for chunk in chunks for text in chunk.texts] == ["a", "b", *["c"] * 600, "d"]
    assert [letter["source_row"] for chunk in chunks for letter in chunk.bad] == [2, 4]


def test_several_files_in_order(run, tmp_path, capsys):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.csv", [f"{name} {i}" for i in range(20)])
    (tmp_path / "c.csv").write_text("id,text\n")
    result = score(capsys, run, tmp_path / "?.csv", tmp_path / "x")
    assert result["rows_read"] == 40
    scored = read(tmp_path / "x")
    assert scored["text"].tolist() == [f"{name} {i}" for name in "ab" for i in range(20)]
    assert scored["source_file"].unique().tolist() == [str(tmp_path / f"{n}.csv") for n in "ab"]


def test_existing_output_stays_until_the_new_one_is_complete(run, tmp_path, capsys, monkeypatch):
    path, prefix = tmp_path / "in.csv", tmp_path / "x"
    path.write_text("text\n" + "\n".join(["a"] * 40) + '\n""\n')
    first = score(capsys, run, path, prefix)
    assert len(first["files"]) == 4
    (tmp_path / "x-notes.txt").write_text("kept")
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    arguments = [str(run), f"--input={path}", f"--output={prefix}", "--workers=1"]
    assert batch.main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    with monkeypatch.context() as patched:
        patched.setattr(rows, "check_cells", lambda *arguments: 1 / 0)
        assert batch.main([*arguments, "--overwrite"]) == 1
    assert "division by zero" in capsys.readouterr().err
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before
    path.write_text("text\nb\n")
    score(capsys, run, path, prefix, "--overwrite")
    left = {"in.csv", "x-notes.txt", "x-00000-of-00001.parquet"}
    assert {file.name for file in tmp_path.iterdir()} == left


def test_a_lost_row_is_an_error():
    piece = LabelledPiece(3, {"empty text": 2}, "a.parquet", "a.jsonl")
    assert count_rows(10, [piece, piece]) == RowCounts(10, 6, 4, {"empty text": 4})
    with pytest.raises(RuntimeError, match="11 rows were read, but 6 labelled and 4 rejected"):
        count_rows(11, [piece, piece])


def test_labels_of_any_characters(table, tmp_path, capsys):
    frame = pd.read_csv(table)
    frame["label"] = frame["label"].map({"id": "a/b, c", "en": "😀 'q'", "de": "p_"})
    frame.to_csv(tmp_path / "odd.csv", index=False)
    arguments = [f"--data={tmp_path}/odd.csv", f"--output={tmp_path}/runs", "--epochs=1"]
    assert train([*arguments, *SMALL]) == 0
    capsys.readouterr()
    score(capsys, tmp_path / "runs" / "odd", tmp_path / "odd.csv", tmp_path / "x")
    scored = read(tmp_path / "x")
    assert {"p_a/b, c", "p_😀 'q'", "p_p_"} <= set(scored)
    np.testing.assert_allclose(scored.filter(regex="^p_").sum(axis=1), 1)


def test_a_saved_model_predicts_like_its_run(run, tmp_path, capsys):
    assert saved_model.main([str(run), f"--to={tmp_path}/served/greetings"]) == 0
    capsys.readouterr()
    write(tmp_path / "in.csv", TEXTS)
    served = tmp_path / "served" / "greetings"
    score(capsys, run, tmp_path / "in.csv", tmp_path / "run")
    for name, model in (("newest", served), ("one", served / "1")):
        result = score(capsys, model, tmp_path / "in.csv", tmp_path / name)
        assert result["model_version"] == "1"
        expected, scored = read(tmp_path / "run"), read(tmp_path / name)
        assert scored.columns.tolist() == expected.columns.tolist()
        assert scored["predicted_label"].tolist() == expected["predicted_label"].tolist()
        np.testing.assert_allclose(scored["p_de"], expected["p_de"], atol=1e-5)
    (served / "1.json").unlink()
    code = batch.main([str(served), f"--input={tmp_path}/in.csv", f"--output={tmp_path}/y"])
    assert code == 2
    assert "has no 1.json beside it" in capsys.readouterr().err


BAD = {
    "nothing": ([], "give a run or SavedModel"),
    "no model": (["{dir}/none", "--input={dir}/a.csv"], "no run"),
    "no file": (["{run}", "--input={dir}/none.csv"], "matches no file"),
    "no match": (["{run}", "--input={dir}/none*.csv"], "matches no file"),
    "mixed": (["{run}", "--input={dir}/a.[cj]*"], "matches .csv and .jsonl"),
    "unknown ending": (["{run}", "--input={dir}/a.txt"], "ends in '.txt'"),
    "no column": (["{run}", "--input={dir}/a.csv", "--text-column=t"], "no column 't', only text"),
    "no key": (["{run}", "--input={dir}/a.jsonl", "--text-column=t"], "have no 't', only text"),
    "other columns": (["{run}", "--input={dir}/[ab].csv"], "expected the same in all files"),
    "no string": (["{run}", "--input={dir}/n.parquet"], "is of type int64; expected strings"),
    "broken": (["{run}", "--input={dir}/broken.parquet"], "not a complete Parquet file"),
    "empty": (["{run}", "--input={dir}/empty.csv"], "is empty"),
    "no rows": (["{run}", "--input={dir}/head.csv"], "has no rows"),
    "taken": (["{run}", "--input={dir}/taken.csv"], "already has 'p_id', as added columns"),
    "twice": (["{run}", "--input={dir}/twice.csv"], "columns 1 and 2 are both named 'text'"),
    "workers": (["{run}", "--input={dir}/a.csv", "--workers=0"], "expected at least 1"),
    "surplus": (["{run}", "more", "--input={dir}/a.csv"], "more"),
    "scheme": (["{run}", "--input=nowhere://a.csv"], "nowhere"),
    "place": (["{run}", "--input={dir}/a.csv", "--output={dir}/a.csv/x"], "is not a folder"),
    "folder": (["{run}", "--input={dir}/a.csv", "--output={dir}/"], "is a folder"),
}


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    contents = {"a.csv": "text\nx\n", "b.csv": "text,id\nx,1\n", "a.jsonl": '{"text": "x"}\n'}
    contents |= {"a.txt": "x", "empty.csv": "", "head.csv": "text\n", "broken.parquet": "PAR1"}
    contents |= {"taken.csv": "text,p_id\nx,1\n", "twice.csv": "text,text\nx,1\n"}
    for name, content in contents.items():
        (folder / name).write_text(content)
    pd.DataFrame({"text": [1, 2]}).to_parquet(folder / "n.parquet")
    return folder


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case, run, bad, tmp_path, capfd):
    arguments, message = BAD[case]
    arguments = [argument.format(run=run, dir=bad) for argument in arguments]
    if not any(argument.startswith("--output") for argument in arguments):
        arguments.append(f"--output={tmp_path}/x")
    assert batch.main(arguments) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    last = captured.err.splitlines()[-1]
    assert last.startswith("kerasclf batch: ")
    assert re.search(message, last), captured.err
    assert list(tmp_path.iterdir()) == []


def write_several_pieces(path):
    texts = [f"{text} {i}" for i in range(1300) for text in TEXTS[:50]]
    write(path, texts)
    return texts


def start(run, path, prefix):
    """The command with two workers, in a folder with a folder that is named as the package."""
    (path.parent / "kerasclf").mkdir()
    return subprocess.Popen(
        [
            *(Path(sys.executable).with_name("kerasclf"), "batch", run.absolute()),
            *(f"--input={path}", f"--output={prefix}", "--workers=2", "--json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=path.parent,
    )


def find_workers(process):
    """Ids of the processes that a process has started to label rows."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            is_child = f"PPid:\t{process.pid}\n" in status.read_text()
            if is_child and b"spawn_main" in (status.parent / "cmdline").read_bytes():
                found.append(int(status.parent.name))
    return found


@pytest.mark.slow
def test_two_processes(run, tmp_path):
    texts = write_several_pieces(tmp_path / "in.csv")
    process = start(run, tmp_path / "in.csv", tmp_path / "x")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "Warning" not in err
    result = json.loads(out)
    assert result["rows_written"] == len(texts)
    assert len(result["files"]) == 3
    assert read(tmp_path / "x")["text"].tolist() == texts


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc")
def test_killed_processes_leave_nothing_to_be_taken_for_a_result(run, tmp_path, capsys):
    write_several_pieces(tmp_path / "in.csv")
    process = start(run, tmp_path / "in.csv", tmp_path / "x")
    while not find_workers(process):
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(find_workers(process)[0], signal.SIGKILL)
    _, err = process.communicate()
    assert process.returncode == 1
    assert "a worker process was killed" in err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "kerasclf"]

    (tmp_path / "kerasclf").rmdir()
    process = start(run, tmp_path / "in.csv", tmp_path / "x")
    while not list(tmp_path.glob(".x.*.partial/*.parquet")):
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert list(tmp_path.glob(".x.*.partial"))
    (tmp_path / "few.csv").write_text("text\nhalo\n")
    score(capsys, run, tmp_path / "few.csv", tmp_path / "x")
    left = ["few.csv", "in.csv", "kerasclf", "x-00000-of-00001.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_a_damaged_parquet_file(run, tmp_path, capsys):
    path = tmp_path / "in.parquet"
    write(path, [f"selamat pagi {i}" for i in range(3000)])
    content = bytearray(path.read_bytes())
    for place in range(200, len(content) - 2000, 7):
        content[place] ^= 0x5A
    path.write_bytes(content)
    code = batch.main([str(run), f"--input={path}", f"--output={tmp_path}/x", "--workers=1"])
    assert code == 2
    assert f"{path} is damaged: " in capsys.readouterr().err.splitlines()[-1]
    assert list(tmp_path.iterdir()) == [path]


def test_files_on_another_file_system(run, tmp_path, capsys):
    system = fsspec.filesystem("memory")
    system.pipe("/posts/a.csv", b"text\nselamat pagi\n \n")
    system.pipe("/posts/b.csv", b"text\ngood morning\n")
    first = score(capsys, run, "memory://posts/*.csv", "memory://scored/x")
    assert first["rows_read"] == 3
    assert [Path(file).name for file in first["files"]] == [
        *("x-dead-letter-00000-of-00001.jsonl", "x-00000-of-00002.parquet"),
        "x-00001-of-00002.parquet",
    ]
    system.pipe("/posts/b.csv", b"text\n")
    score(capsys, run, "memory://posts/*.csv", "memory://scored/x", "--overwrite")
    names = {Path(path).name for path in system.find("/scored")}
    assert names == {"x-dead-letter-00000-of-00001.jsonl", "x-00000-of-00001.parquet"}
    with system.open("/scored/x-00000-of-00001.parquet") as file:
        assert pd.read_parquet(file)["source_file"].tolist() == ["memory:///posts/a.csv"]
