"""All commands read the same rows of a table: 200 generated ones, by each way of reading."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export.scoring.rows import plan_pieces, read_chunks
from export.scoring.table import find_table
from kerasclf.config import TrainConfig
from kerasclf.data.cells import as_text, is_blank
from kerasclf.data.examples import load_examples
from kerasclf.data.tables import read_table
from kerasclf.errors import UserError
from kerasclf.table_prediction import PredictionTable

TEXT = st.text(st.sampled_from("abz 0\"';,\t\n\r\ufeff\u00e9\u200b\U0001f600"), max_size=12)
LABELS = st.sampled_from(["x", "y", "x y", '"z"', "1", "1.0"])
ROWS = st.lists(st.tuples(TEXT, LABELS), min_size=1, max_size=12)
SETTINGS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def delimited(draw):
    """Suffix and bytes of a CSV or TSV file; some have rows that are not valid."""
    suffix, separator = draw(st.sampled_from([(".csv", ","), (".csv", ";"), (".tsv", "\t")]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, None]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    index = draw(st.booleans())
    rows = [("text", "label"), *draw(ROWS)]
    if index:
        rows = [(str(i - 1) if i else "", *row) for i, row in enumerate(rows)]
    if quoting is None:
        # As programs write it that do not know of quoting.
        content = end.join(separator.join(row) for row in rows)
    else:
        file = io.StringIO()
        writer = csv.writer(file, delimiter=separator, quoting=quoting, lineterminator=end)
        writer.writerows(rows)
        content = file.getvalue()
    blank = end * draw(st.integers(0, 2))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return suffix, mark + (content + blank).encode()


def read_in_training(path):
    """Texts and labels of all rows, blank ones included."""
    rows = read_table(path)
    return list(zip(as_text(rows["text"]), as_text(rows["label"]), strict=True))


def read_for_prediction(path, rows):
    table = PredictionTable(path, path.with_name("out.csv"))
    return [text for chunk in table.read_chunks(rows) for text in as_text(chunk["text"])]


def read_in_batch(path):
    """Texts of good rows, and the dead letters."""
    table = find_table(str(path), "text")
    pieces = [piece for source in table.sources for piece in plan_pieces(source, table)]
    chunks = [chunk for piece in pieces for chunk in read_chunks(piece, table)]
    assert sum(len(c.texts) + len(c.bad) for c in chunks) == sum(p.rows for p in pieces)
    return [t for c in chunks for t in c.texts], [letter for c in chunks for letter in c.bad]


def attempt(path):
    """The rows as training reads them, or the message that refuses the table."""
    try:
        return read_in_training(path), ""
    except UserError as error:
        return [], str(error)


def check(path):
    """Compares all ways of reading a file."""
    rows, refusal = attempt(path)
    if "has no rows" in refusal:
        assert read_in_batch(path) == ([], [])
    elif " line " in refusal:
        # Line and reason are those of the first dead letter that is about the row itself.
        _, bad = read_in_batch(path)
        first = next(letter for letter in bad if "text" not in letter["reason"])
        assert f"line {first['source_line']}: {first['reason']}" in refusal
        with pytest.raises(UserError, match=f"line {first['source_line']}: "):
            read_for_prediction(path, 3)
    elif refusal:
        with pytest.raises(UserError):
            read_in_batch(path)
    else:
        check_rows(path, rows)


def check_rows(path, rows):
    """Compares all ways of reading a file whose rows are all valid."""
    texts = [text for text, _ in rows]
    assert read_for_prediction(path, 3) == texts
    good, bad = read_in_batch(path)
    assert good == [text for text in texts if not is_blank(text)]
    assert {letter["reason"] for letter in bad} <= {"empty text", "no text"}
    try:
        examples = load_examples(TrainConfig(data=path))
    except UserError:
        # Too few rows to learn from.
        return
    read = list(zip(examples.all_rows["text"], examples.all_rows["label"], strict=True))
    assert read == rows


@SETTINGS
@given(delimited())
def test_text_files(tmp_path, table):
    suffix, content = table
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    check(path)


@SETTINGS
@given(ROWS, st.sampled_from([".parquet", ".jsonl"]), st.booleans(), st.data())
def test_typed_files(tmp_path, rows, suffix, index, data):
    frame = pd.DataFrame(rows, columns=["text", "label"])
    missing = data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=3))
    frame.loc[missing, "text"] = None
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        # A filter leaves an index, which pandas writes.
        frame.iloc[::-1].to_parquet(path, index=True if index else None)
    else:
        frame.to_json(path, orient="records", lines=True, force_ascii=index)
    check(path)
