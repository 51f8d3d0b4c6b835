"""The rows behind the doctor's counts."""

import pandas as pd

from kerasclf.data.problems import CONFLICT, NEAR
from kerasclf.doctor import main as doctor
from kerasclf.train import main as train

WORDS = ["pasar", "rumah", "jalan", "kota", "sawah", "gunung", "laut", "hujan"]


def test_rows_are_named_by_their_numbers(tmp_path):
    rows = [
        (f"cerita tentang {a} dan {b}", "xy"[(i + j) % 2])
        for i, a in enumerate(WORDS)
        for j, b in enumerate(WORDS)
        if i != j
    ]
    rows[2:2] = [("", "x"), ("kalimat tanpa label", ""), rows[0], ("Pasar  itu ramai!", "x")]
    rows += [
        ("pasar itu ramai", "y"),
        ("satu kata", "z"),
        ("sebuah kalimat panjang " * 5, "x"),
        ("sebuah kalimat panjang " * 5 + "x", "x"),
    ]
    table = tmp_path / "t.csv"
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(table, index=False)
    options = [f"--data={table}", "--min-class-rows=2", "--encoder=linear", f"--output={tmp_path}"]
    assert train(options) == 0
    found = pd.read_csv(tmp_path / "t" / "1" / "problems.csv", keep_default_na=False)
    assert list(found) == ["row", "problem", "group", "label", "text"]
    named = {
        problem: group["row"].tolist() for problem, group in found.groupby("problem", sort=False)
    }
    n = len(rows)
    assert named["empty text"] == [3]
    assert named["no label"] == [4]
    assert named["exact duplicate"] == [5]
    assert named["class is too small"] == [n - 2]
    assert named[CONFLICT] == [6, n - 3]
    assert {n - 1, n, 6, n - 3} <= set(named[NEAR])
    # Each row is named with its own text.
    for entry in found.itertuples():
        assert rows[entry.row - 1] == (entry.text, entry.label)
    pd.read_csv(table).query("label != 'z'").to_csv(table, index=False)
    assert doctor([str(table), f"--problems={tmp_path}/p.csv"]) == 0
    again = pd.read_csv(tmp_path / "p.csv", keep_default_na=False)
    assert again["problem"].value_counts()[CONFLICT] == 2
    assert doctor([str(table), f"--problems={tmp_path}/t.csv/p.csv"]) == 2
