import json
import re

import numpy as np
import pandas as pd
import pytest
from conftest import fails

import kerasclf
from kerasclf import cli, table_prediction
from kerasclf.data.table_writer import TableWriter
from kerasclf.data.tables import read_table

STRANGE = ["", "   ", "a\0b", "\0", "😀🇮🇩", "x" * 1_000_000, "\ud800", "日本語", "<b>&amp;</b>"]


def test_predict_accepts_any_text(run):
    classifier = kerasclf.load(run)
    predicted = classifier.predict(STRANGE)
    assert len(predicted) == len(STRANGE)
    assert set(predicted["predicted_label"]) <= {"de", "en", "id"}
    probabilities = predicted[["p_de", "p_en", "p_id"]].to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert classifier.predict([]).empty
    alone = [classifier.predict([text])["p_de"][0] for text in STRANGE]
    np.testing.assert_allclose(alone, probabilities[:, 0], atol=1e-6)


def test_predict_texts(run, capsys):
    assert cli.main(["predict", str(run), "selamat pagi", "guten Morgen", "--json"]) == 0
    predictions = json.loads(capsys.readouterr().out)["predictions"]
    assert [entry["text"] for entry in predictions] == ["selamat pagi", "guten Morgen"]
    assert sum(predictions[0]["probabilities"].values()) == pytest.approx(1)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_predict_a_table_keeps_rows_and_order(run, tmp_path, capsys, monkeypatch, suffix):
    monkeypatch.setattr(table_prediction, "CHUNK_ROWS", 7)
    texts = [*(text for text in STRANGE if text != "\ud800"), *(f"text {i}" for i in range(40))]
    rows = pd.DataFrame({"id": [str(i) for i in range(len(texts))], "text": texts})
    with TableWriter(tmp_path / f"in{suffix}", suffix) as writer:
        writer.write(rows)
    output = tmp_path / "out.parquet"
    arguments = ["predict", str(run), f"--input={tmp_path}/in{suffix}", f"--output={output}"]
    assert cli.main([*arguments, "--json"]) == 0
    blank = [not text.strip("\0\ufeff ") for text in texts]
    assert json.loads(capsys.readouterr().out) == {
        "output": str(output),
        "rows": len(texts),
        "rows_without_text": sum(blank),
    }
    written = read_table(output)
    assert written["predicted_label"].isna().tolist() == blank
    assert written["id"].tolist() == rows["id"].tolist()
    assert written["text"].tolist() == texts
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f"in{suffix}", "out.parquet"]
    )


BAD_PREDICTIONS = {
    "no run": ([], "no run given"),
    "missing run": (["{dir}/none", "a"], "no run .*none"),
    "nothing to do": (["{run}"], "expected either texts, or --input"),
    "two things to do": (
        ["{run}", "a", "--input={table}", "--output={dir}/o.csv"],
        "expected either texts, or --input",
    ),
    "no output": (["{run}", "--input={table}"], "found only one of --input and --output"),
    "unknown suffix": (
        ["{run}", "--input={table}", "--output={dir}/o.xls"],
        "o.xls ends in '.xls'; expected one of .csv",
    ),
    "missing input": (
        ["{run}", "--input={dir}/none.csv", "--output={dir}/o.csv"],
        "there is no file",
    ),
    "wrong column": (
        ["{run}", "--input={table}", "--output={dir}/o.csv", "--text-column=t"],
        "no column 't'",
    ),
    "no place": (["{run}", "--input={table}", "--output={table}/o.csv"], "is not a folder"),
}


@pytest.mark.parametrize("case", BAD_PREDICTIONS)
def test_bad_prediction_input(case, run, table, tmp_path, capsys):
    arguments, message = BAD_PREDICTIONS[case]
    places = {"run": run, "table": table, "dir": tmp_path}
    code = cli.main(["predict", *(a.format(**places) for a in arguments)])
    fails(capsys, code, message)
    assert list(tmp_path.iterdir()) == []


def test_predict_jsonl_with_varying_keys(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(table_prediction, "CHUNK_ROWS", 2)
    rows = [{"text": "a", "n": 12345678901234567}, {"text": "b", "n": None}]
    rows += [{"more": ["x", 1], "text": "c"}, {"n": 1, "text": "\ud83d"}]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    for suffix in (".csv", ".jsonl", ".parquet"):
        output = tmp_path / f"out{suffix}"
        assert cli.main(["predict", str(run), f"--input={path}", f"--output={output}"]) == 0
        written = read_table(output)
        assert list(written.columns[:3]) == ["text", "n", "more"]
        assert written["text"].tolist() == ["a", "b", "c", "?"]
        assert str(written["n"].iloc[0]) == "12345678901234567"


def test_predict_keeps_a_row_with_a_carriage_return(run, tmp_path, capsys):
    (tmp_path / "in.csv").write_bytes(b'id,text\n1,"a\rb"\n2,c\n')
    output = tmp_path / "out.csv"
    assert cli.main(["predict", str(run), f"--input={tmp_path}/in.csv", f"--output={output}"]) == 0
    assert read_table(output)["text"].tolist() == ["a\rb", "c"]


def test_predictions_that_a_spreadsheet_runs_nothing_of(run, tmp_path, capsys):
    rows = [{"=id": 1, "text": "=1+1"}, {"=id": -2, "text": "halo"}, {"=id": 3, "text": "@SUM(a)"}]
    pd.DataFrame(rows).to_csv(tmp_path / "in.csv", index=False)
    output = tmp_path / "out.csv"
    arguments = ["predict", str(run), f"--input={tmp_path}/in.csv", f"--output={output}"]
    assert cli.main([*arguments, "--safe-csv"]) == 0
    written = pd.read_csv(output)
    assert written["text"].tolist() == ["'=1+1", "halo", "'@SUM(a)"]
    assert written["'=id"].tolist() == [1, -2, 3]
    assert not re.search(r"(?m)(^|,)\"?[=+@]", output.read_text())
    assert cli.main([*arguments[:-1], f"--output={tmp_path}/o.parquet", "--safe-csv"]) == 2
    assert "--safe-csv is for CSV and TSV" in capsys.readouterr().err
