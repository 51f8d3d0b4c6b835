"""Tables as spreadsheets, archives and other programs write them."""

import gzip
import json

import openpyxl
import pandas as pd
import pytest

from kerasclf.config import TrainConfig
from kerasclf.data.reading import Reading, find_encoding
from kerasclf.data.tables import pick_column, read_chunks, read_table
from kerasclf.doctor import main as doctor
from kerasclf.errors import UserError

ROWS = [("dasar goblok 😡", "berat"), ('katanya; "begitu"\nsaja', "ringan"), ("NA", "null")]


@pytest.fixture
def workbook(tmp_path):
    """A workbook of two sheets: notes, and the posts below a row of names."""
    path = tmp_path / "posts.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "notes"
    book.active.append(["text", "label"])
    book.active.append(["a note", "x"])
    sheet = book.create_sheet("posts")
    for row in [("Tweet ", "level", "year"), *((text, label, 2019) for text, label in ROWS)]:
        sheet.append(row)
    sheet.append([None, None, None])
    sheet.append(["=1+1", 2.0, True])
    book.save(path)
    return path


def test_a_workbook_is_read_as_a_csv_is(workbook, capsys):
    assert read_table(workbook).to_numpy().tolist() == [["a note", "x"]]
    assert "'notes'; --sheet takes 'notes', 'posts'" in capsys.readouterr().err
    for sheet in ("posts", "2"):
        frame = read_table(workbook, Reading(sheet=sheet))
        assert list(frame) == ["Tweet ", "level", "year"]
        assert frame.to_numpy().tolist()[:3] == [[text, label, "2019"] for text, label in ROWS]
        # The formula was never computed; whole numbers have no point.
        assert frame.to_numpy().tolist()[3] == ["", "2", "TRUE"]
    chunks = list(read_chunks(workbook, Reading(sheet="posts"), 2))
    assert [len(chunk) for chunk in chunks] == [2, 2]
    plain = read_table(workbook, Reading(sheet="posts", has_names=False))
    assert list(plain) == ["1", "2", "3"]
    assert plain["1"].iloc[0] == "Tweet "
    with pytest.raises(UserError, match="no sheet 'post'; expected one of 'notes', 'posts'"):
        read_table(workbook, Reading(sheet="post"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_and_said(delimiter, tmp_path, capsys):
    path = tmp_path / "t.csv"
    pd.DataFrame(ROWS, columns=["text", "label"]).to_csv(path, sep=delimiter, index=False)
    assert read_table(path).to_numpy().tolist() == [list(row) for row in ROWS]
    said = capsys.readouterr().err
    assert ("is separated by" in said) == (delimiter != ",")
    assert repr(delimiter) in said or delimiter == ","


@pytest.mark.parametrize(
    ("content", "has_names", "names"),
    [
        ("Kommentar, roh;Stufe\nja, nein;a\nso;b\n", True, ["Kommentar, roh", "Stufe"]),
        ("text,label;x\na;b,c\n", True, ["text", "label;x"]),
        ("hallo, du|gut\nso nicht|schlecht\n", False, ["1", "2"]),
        ('"a, b";c,d\n1;2,3\n', True, ["a, b", "c,d"]),
    ],
)
def test_rows_tell_which_of_two_delimiters_it_is(content, has_names, names, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(content)
    assert list(read_table(path, Reading(has_names=has_names))) == names


def test_findings_are_said_once(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_bytes("text;label\nd\u00e9j\u00e0 vu;a\n".encode("cp1252"))
    read_table(path)
    assert capsys.readouterr().err.count(str(path)) == 2
    read_table(path)
    assert capsys.readouterr().err == ""


def test_old_and_locked_workbooks_are_named(tmp_path):
    path = tmp_path / "t.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    with pytest.raises(UserError, match=r"old \.xls or has a password; save it as \.xlsx"):
        read_table(path)


def test_the_name_of_a_run_has_no_suffixes(tmp_path):
    assert TrainConfig(data=tmp_path / "posts.csv.gz").resolved().name == "posts"


def test_a_delimiter_can_be_given(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text^label, as given\nhello, you^good\n")
    frame = read_table(path, Reading(delimiter="^"))
    assert frame.to_numpy().tolist() == [["hello, you", "good"]]
    with pytest.raises(UserError, match="--delimiter is '::'; expected one character"):
        read_table(path, Reading(delimiter="::"))
    path.write_text("text\tlabel; as given\nhello\tgood\n")
    assert read_table(path, Reading(delimiter="tab")).to_numpy().tolist() == [["hello", "good"]]
    path.rename(tmp_path / "t.tsv")
    with pytest.raises(UserError, match="--delimiter is for CSV files"):
        read_table(tmp_path / "t.tsv", Reading(delimiter=";"))
    with pytest.raises(UserError, match="--sheet is for Excel"):
        read_table(tmp_path / "t.tsv", Reading(sheet="1"))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json"])
def test_text_files_may_be_compressed(suffix, tmp_path):
    frame = pd.DataFrame(ROWS, columns=["text", "label"])
    path = tmp_path / f"t{suffix}.gz"
    if suffix in (".csv", ".tsv"):
        frame.to_csv(path, index=False, sep=",\t"[suffix == ".tsv"])
    else:
        frame.to_json(path, orient="records", lines=suffix == ".jsonl")
    assert read_table(path).to_numpy().tolist() == [list(row) for row in ROWS]
    assert sum(map(len, read_chunks(path, Reading(), 2))) == 3


def test_a_cut_archive_is_one_line(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"".join(b"%d,a\n" % (n**5) for n in range(50_000)))[:-2000])
    with pytest.raises(UserError, match=r"cannot read .*t\.csv\.gz"):
        read_table(path)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "“déjà vu” à Orléans – naïve façade, très agréable, c’était l’été à Zürich"),
        ("cp1251", "Это совершенно обычное сообщение на русском языке, и оно довольно длинное"),
        ("utf-8-sig", "“déjà vu” – naïve"),
        ("utf-16", "“déjà vu” – naïve"),
    ],
)
def test_the_encoding_is_found(encoding, text, tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_bytes(f"text;label\r\n{text};a\r\n{text.upper()};b\r\n".encode(encoding))
    assert read_table(path)["text"].tolist() == [text, text.upper()]
    said = capsys.readouterr().err
    assert (f"is read as {encoding}" in said) == (encoding != "utf-8-sig")


def test_damaged_utf8_is_not_another_encoding(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("text,label\ncafé,a\n".encode() + b"caf\xe9,b\n")
    assert find_encoding(path, "utf-8") == ("utf-8", "")
    with pytest.raises(UserError, match="line 3 has the byte 0xe9"):
        read_table(path)


def test_names_of_columns_are_forgiving(workbook, capsys):
    frame = read_table(workbook, Reading(sheet="posts"))
    assert pick_column(frame, "tweet", workbook, "--text-column").iloc[0] == ROWS[0][0]
    assert "column 'Tweet ' is read as --text-column tweet" in capsys.readouterr().err
    with pytest.raises(UserError, match="did you mean --label-column 'level'"):
        pick_column(frame, "levels", workbook, "--label-column")
    twice = frame.rename(columns={"level": "tweet"})
    with pytest.raises(UserError, match="no column 'TWEET'"):
        pick_column(twice, "TWEET", workbook, "--text-column")


def test_doctor_reads_a_windows_csv_with_semicolons(tmp_path, capsys):
    places, days = ["Orléans", "Zürich", "Genève", "Paris", "Lyon"], ["lundi", "mardi", "samedi"]
    texts = [
        f"Le garçon est arrivé à {p} le {d}, à {n} h" for p in places for d in days for n in "345"
    ]
    lines = [f"{text};{'ab'[number % 2]}" for number, text in enumerate(texts)]
    path = tmp_path / "posts.csv"
    path.write_bytes("\r\n".join(["Text;LABEL", *lines]).encode("cp1252"))
    assert doctor([str(path), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["rows_kept"] == len(lines)
    assert json.loads(printed.out)["source"]["encoding"] == "cp1252"
    assert "is separated by ';'" in printed.err
