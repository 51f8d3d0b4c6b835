"""Small tables that users reported: what each command reads of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kerasclf import cli
from kerasclf.data.cells import as_text
from kerasclf.data.reading import Reading
from kerasclf.data.tables import read_chunks, read_table
from kerasclf.errors import UserError

STRAY = 'label\ttext\ngood\t"kind staff\nbad\tcold\nbad\t12" pizza\ngood\tsweet"\nbad\t"a" "b\n'


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_stray_quotes_of_a_tab_separated_file_swallow_no_row(tmp_path):
    rows = read_table(write(tmp_path, "t.tsv", STRAY))
    assert rows["text"].tolist() == ['"kind staff', "cold", '12" pizza', 'sweet"', '"a" "b']
    assert rows["label"].tolist() == ["good", "bad", "bad", "good", "bad"]


def test_5574_lines_with_five_stray_quotes_are_5574_rows(tmp_path):
    lines = [f"ham\tmessage {i} of many" for i in range(5574)]
    for place in (10, 500, 501, 3000, 5573):
        lines[place] = lines[place].replace("message", '"message')
    path = write(tmp_path, "t.tsv", "\n".join(["label\ttext", *lines]))
    assert len(read_table(path)) == 5574
    assert sum(len(chunk) for chunk in read_chunks(path, Reading(), 1000)) == 5574


def test_a_quoted_cell_of_a_tab_separated_file_may_run_over_lines(tmp_path, capsys):
    content = 'text\tlabel\n"two\nlines"\tx\n"a\tb"\ty\n"say ""hi"""\tx\n'
    rows = read_table(write(tmp_path, "t.tsv", content))
    assert rows["text"].tolist() == ["two\nlines", "a\tb", 'say "hi"']
    assert "1 quoted cells run over several lines, the first from line 2 to 3" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,b\nc\n", "line 3: wrong number of cells: found 1, expected 2"),
        ('text,label\na,b\n\n"c,d\ne,f\n', "line 4: row that does not parse"),
        ('text,label\n"a" b,c\n', "line 2: row that does not parse"),
        ("text,label,label\na,b,c\n", "columns 2 and 3 are both named 'label'"),
    ],
)
def test_a_row_that_is_not_valid_is_named_by_its_line(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        read_table(write(tmp_path, "t.csv", content))


@pytest.mark.parametrize(
    ("name", "content", "separator"),
    [
        ("t.csv", "sep=;\ntext;label\na,b;x\n", ";"),
        ("t.csv", "text;label\na,b;x\n", ";"),
        ("t.csv", "text\tlabel\r\na,b\tx\r\n", "\t"),
        ("t.csv", 'text,label\n"a,b",x\n', ","),
    ],
)
def test_separators_of_spreadsheets(tmp_path, name, content, separator):
    rows = read_table(write(tmp_path, name, content))
    assert rows.to_dict("list") == {"text": ["a,b"], "label": ["x"]}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_the_byte_order_mark_says_the_encoding(tmp_path, encoding, capsys):
    marked = ("" if encoding != "utf-16-le" else "\ufeff") + "text\tlabel\r\nhé\tx\r\n"
    rows = read_table(write(tmp_path, "t.tsv", marked.encode(encoding)))
    assert rows.to_dict("list") == {"text": ["hé"], "label": ["x"]}
    if encoding != "utf-8-sig":
        assert "is read as utf-" in capsys.readouterr().err


def test_the_doctor_says_the_encoding_that_was_read(tmp_path, capsys):
    rows = "".join(f"text {i}\t{'ab'[i % 2]}\n" for i in range(20))
    path = write(tmp_path, "t.tsv", ("text\tlabel\n" + rows).encode("utf-16"))
    assert cli.main(["doctor", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"]["encoding"].startswith("utf-16")


def test_without_a_header_columns_have_numbers(tmp_path):
    path = write(tmp_path, "t.csv", "good,the soup was warm\nbad,cold tea\ngood,fresh bread\n")
    rows = read_table(path, Reading(has_names=False))
    assert rows.to_dict("list") == {
        "1": ["good", "bad", "good"],
        "2": ["the soup was warm", "cold tea", "fresh bread"],
    }


def test_columns_without_a_name(tmp_path, capsys):
    path = write(tmp_path, "t.csv", "v1,v2,,\nham,a,,\nspam,b, and more,\n")
    assert list(read_table(path)) == ["v1", "v2", "3", "4"]
    assert "1 rows have values in columns without a name (3, 4)" in capsys.readouterr().err
    # The index that pandas writes is no mistake.
    pd.DataFrame({"text": ["a", "b"]}).to_csv(tmp_path / "i.csv")
    read_table(tmp_path / "i.csv")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".parquet", ".feather", ".orc"])
def test_columnar_files_without_the_index_of_pandas(tmp_path, suffix):
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.orc
    import pyarrow.parquet

    rows = pd.DataFrame({"text": [f"text {i}" for i in range(9)], "label": list("xyzxyzxyz")})
    kept = rows[rows["label"] != "y"]
    table = pa.Table.from_pandas(kept)
    writers = {
        ".parquet": pyarrow.parquet.write_table,
        ".feather": pyarrow.feather.write_feather,
        ".orc": pyarrow.orc.write_table,
    }
    path = tmp_path / f"t{suffix}"
    writers[suffix](table, path)
    if suffix == ".orc":
        # ORC has no place for the metadata of pandas.
        table = pyarrow.orc.read_table(path)
    expected = [name for name in table.column_names if name in ("text", "label")]
    read = read_table(path)
    assert [name for name in read.columns if name in expected] == expected
    assert read["text"].tolist() == kept["text"].tolist()
    if suffix != ".orc":
        assert list(read.columns) == ["text", "label"]
    chunks = list(read_chunks(path, Reading(), 4))
    assert [len(chunk) for chunk in chunks] == [4, 2]
    assert pd.concat(chunks)["text"].tolist() == kept["text"].tolist()


def test_a_named_index_is_a_column(tmp_path):
    rows = pd.DataFrame({"text": ["a", "b"], "label": ["x", "y"]}).set_index("text")
    rows.to_parquet(tmp_path / "t.parquet")
    assert sorted(read_table(tmp_path / "t.parquet")) == ["label", "text"]


def test_json_arrays(tmp_path):
    rows = pd.DataFrame({"text": ["a\nb", "é"], "n": [1, 2]})
    rows.to_json(tmp_path / "t.json", orient="records")
    assert read_table(tmp_path / "t.json")["text"].tolist() == ["a\nb", "é"]
    # Lines under the name of an array.
    rows.to_json(tmp_path / "l.json", orient="records", lines=True)
    assert as_text(read_table(tmp_path / "l.json")["n"]).tolist() == ["1", "2"]


def test_nested_json_says_how_it_becomes_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("data.json").write_text(json.dumps({"train": [["hi there", "greet"], ["bye", "leave"]]}))
    with pytest.raises(UserError, match="convert it by: ") as caught:
        read_table(Path("data.json"))
    exec(str(caught.value).split("convert it by: ")[1])
    assert read_table(Path("data.csv")).to_numpy().tolist() == [
        ["hi there", "greet"],
        ["bye", "leave"],
    ]


CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
ROWS = {
    "01-quote.tsv": 24,
    "02-train.csv": None,
    "04-mixed.csv": None,
    "07-utf16.tsv": None,
    "11-semicolon-sep.csv": 24,
    "12-names.csv": None,
    "15-rest.parquet": 11,
    "15-split.parquet": 25,
    "18-array.json": 6,
}


@pytest.mark.parametrize("name", ROWS)
def test_reported_files(name):
    if not CASES.is_dir():
        pytest.skip(f"{CASES} is absent")
    rows = read_table(CASES / name)
    assert set(rows.columns) >= {"text", "label"}
    assert not [column for column in rows if "index" in column]
    assert ROWS[name] in (None, len(rows))
    assert not np.any(as_text(rows["text"]) == "")
