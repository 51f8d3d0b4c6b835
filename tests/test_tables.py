import pandas as pd
import pytest

from kerasclf.data.cells import as_text
from kerasclf.data.reading import Reading
from kerasclf.data.table_writer import TableWriter
from kerasclf.data.tables import read_chunks, read_table
from kerasclf.errors import UserError

ROWS = pd.DataFrame(
    {"text": ["a,b", 'say "hi"', "two\nlines", "NA", "😀\t", "nul\0in"], "label": list("xyxyxy")}
)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_tables_written_in_chunks_are_read_back(tmp_path, suffix):
    path = tmp_path / f"table{suffix}"
    with TableWriter(path, suffix) as writer:
        writer.write(ROWS.iloc[:4])
        writer.write(ROWS.iloc[4:])
    whole = read_table(path)
    assert whole.to_dict("list") == ROWS.to_dict("list")
    chunks = list(read_chunks(path, Reading(), 2))
    assert [len(chunk) for chunk in chunks] == [2, 2, 2]
    assert pd.concat(chunks)["text"].tolist() == ROWS["text"].tolist()


def test_byte_order_mark_is_not_part_of_the_first_column(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\nx,y\n")
    assert read_table(path).columns.tolist() == ["text", "label"]


def test_as_text():
    values = pd.Series(["a", None, float("nan"), 3, 2.5, 1.0, "\ud800", ["x"], b"y"], dtype=object)
    expected = ["a", "", "", "3", "2.5", "1", "?", '["x"]', "y"]
    assert as_text(values).tolist() == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"text,label\n", "no rows"),
        ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "binary file"),
        (
            "t.csv",
            b"text,label\n\xc3\xa9t\xc3\xa9,x\nd\xe9j\xe0,x\n",
            "line 3 has the byte 0xe9.*--encoding latin-1",
        ),
        (
            "t.csv",
            b"text,label\na,b,c\n1,2,3\n",
            "line 2: wrong number of cells: found 3, expected 2",
        ),
        ("t.csv", b"text,label\na,b\n1,2,3\n", "line 3: wrong number of cells"),
        ("t.jsonl", b'{"text": 1}\nnope\n', "line 2: not JSON"),
        ("t.jsonl", b"[1, 2]\n", "line 1: not a JSON object"),
        ("t.parquet", b"text,label\n", "not a Parquet file"),
        ("t.parquet", b"PAR1 and no more", "not a complete Parquet file"),
        ("t.xlsx", b"PK", "is not an Excel workbook"),
        ("t.xlsx", b"text,label\n", "is not an Excel workbook"),
        ("t.csv.gz", b"text,label\n", "cannot read .*Not a gzipped file"),
        ("t.parquet.gz", b"", r"expected one of .csv, .tsv"),
        ("t.xls", b"PK", r"expected one of .csv, .tsv"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_table(path)


def test_missing_file_folder_and_encoding(tmp_path):
    with pytest.raises(UserError, match="there is no file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(UserError, match="is not a file"):
        read_table(tmp_path)
    (tmp_path / "t.csv").write_text("text\nx\n")
    with pytest.raises(UserError, match="unknown encoding 'utf-9'"):
        read_table(tmp_path / "t.csv", Reading("utf-9"))
