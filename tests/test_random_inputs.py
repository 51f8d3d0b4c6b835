"""1,000 random tables and 1,000 random damages of a run: the right answer, or one short line."""

import csv
import io
import json
import shutil

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerasclf import cli

SETTINGS = settings(
    max_examples=1000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.slow


def call(capsys, *arguments):
    """Exit code and stdout of a command; a failure must be one short line."""
    capsys.readouterr()
    code = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    if code:
        failure = err.splitlines()[-1]
        assert len(failure) <= 500, failure
        assert "Traceback" not in err
        assert code == 2, failure
    return code, out


WORDS = st.sampled_from(["saya", "makan", "nasi", "padi", "kowe", "apik", "é", "a", "😀", "\u200b"])
CELL = st.one_of(
    st.lists(WORDS, max_size=6).map(" ".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=15),
    st.sampled_from(["", " ", "=1+1", "NULL", "nan", "a" * 3000, '"', "\n", "1e400", "-"]),
)
LABEL = st.one_of(st.sampled_from(["x", "y", "z", "1", "1.0", "", "X "]), CELL)
BASE = [(f"{a} {b}", label) for label, a in (("x", "saya"), ("y", "kowe")) for b in "abcdefg"]
ROWS = st.one_of(
    st.lists(st.tuples(CELL, LABEL), max_size=40),
    st.lists(st.tuples(CELL, st.sampled_from(["x", "y", ""]))).map(lambda rows: BASE + rows),
)


@st.composite
def tables(draw):
    """Suffix and content of a file, and its rows, or None if it is damaged."""
    rows = draw(ROWS)
    kind = draw(st.sampled_from([".csv", ".tsv", ".jsonl", ".json", ".parquet", ".xlsx"]))
    frame = pd.DataFrame(rows, columns=["text", "label"], dtype="str")
    file = io.BytesIO()
    if kind in (".csv", ".tsv"):
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter="," if kind == ".csv" else "\t", quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *rows])
        file.write(text.getvalue().encode())
    elif kind == ".parquet":
        frame.to_parquet(file)
    elif kind == ".xlsx":
        # Excel has no control characters, what begins with = is a formula that nobody computed yet,
        # and a row without cells is none.
        rows = [
            tuple("".join(c for c in cell if c.isprintable()).lstrip("=") for cell in row)
            for row in rows
        ]
        rows = [row for row in rows if any(row)]
        pd.DataFrame(rows, columns=["text", "label"]).to_excel(file, index=False)
    else:
        frame.to_json(
            file, orient="records", lines=kind == ".jsonl", force_ascii=draw(st.booleans())
        )
    content = bytearray(file.getvalue())
    if content and draw(st.booleans()):
        damage(content, draw(DAMAGES))
        return kind, bytes(content), None
    return kind, bytes(content), rows


@st.composite
def _damages(draw):
    kind = draw(st.sampled_from(["cut", "flip", "remove", "repeat", "insert"]))
    place = draw(st.floats(0, 1, exclude_max=True))
    return kind, place, draw(st.integers(1, 255)), draw(st.integers(1, 40))


DAMAGES = _damages()


def damage(content: bytearray, how) -> None:
    kind, share, value, length = how
    place = int(share * len(content))
    if kind == "cut":
        del content[place:]
    elif kind == "flip":
        content[place] ^= value
    elif kind == "remove":
        del content[place : place + length]
    elif kind == "repeat":
        content[place:place] = content[place : place + length]
    else:
        content[place:place] = bytes([value]) * length


@SETTINGS
@given(tables())
def test_the_doctor_counts_the_rows_of_any_table(capsys, tmp_path, table):
    suffix, content, rows = table
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    code, out = call(capsys, "doctor", path, "--json")
    if code == 0:
        found = json.loads(out)
        dropped = sum(found["rows_dropped"].values())
        assert found["rows_kept"] == sum(found["class_counts"].values())
        assert found["rows_read"] == found["rows_kept"] + dropped
        if rows is not None:
            kept = {(text, label) for text, label in rows if text.strip() and label.strip()}
            assert found["rows_read"] == len(rows)
            assert found["rows_kept"] <= len(kept)


VALUES = st.sampled_from([None, -1, 0, 1e308, "x", [], {}, [[]], True, float("nan"), [1, 2]])


@st.composite
def harm(draw):
    """The number of a file, and what happens to it."""
    kind = draw(st.sampled_from(["bytes", "delete", "swap", "retype"]))
    return draw(st.integers(0, 99)), kind, draw(DAMAGES), draw(st.integers(0, 99)), draw(VALUES)


def apply(path, files, how):
    _, kind, change, other, value = how
    content = bytearray(path.read_bytes())
    if kind == "delete":
        path.unlink()
        return
    if kind == "swap":
        content = bytearray(files[other % len(files)].read_bytes())
    elif kind == "retype" and path.suffix == ".json":
        record = json.loads(content)
        names = list(record) if isinstance(record, dict) else range(len(record))
        record[names[other % len(names)]] = value
        content = bytearray(json.dumps(record).encode())
    elif content:
        damage(content, change)
    path.write_bytes(content)


@SETTINGS
@given(harm())
def test_a_damaged_run_is_refused_or_predicts(capsys, joined_run, tmp_path, how):
    copy = tmp_path / "1"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(joined_run, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    path = files[how[0] % len(files)]
    before = path.read_bytes()
    apply(path, files, how)
    changed = not path.is_file() or path.read_bytes() != before

    code, out = call(capsys, "predict", copy, "selamat pagi", "--json")
    if code == 0:
        (row,) = json.loads(out)["predictions"]
        probabilities = row["probabilities"]
        assert row["predicted_label"] in probabilities
        assert all(0 <= p <= 1 for p in probabilities.values())
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-3)
    others = (["explain", copy, "good morning"], ["suspects", copy], ["compare", copy, joined_run])
    call(capsys, *others[how[3] % len(others)])
    listed = path.name in json.loads((joined_run / "manifest.json").read_text())["sha256"]
    if listed:
        assert cli.main(["verify", str(copy)]) == (2 if is_no_run(copy) else int(changed))


def is_no_run(folder):
    """Whether a file is missing by which a run is recognized."""
    return not ((folder / "metrics.json").is_file() and (folder / "model.keras").is_file())
