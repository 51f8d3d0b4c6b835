"""The rows behind the doctor's counts."""

import openpyxl
import pandas as pd
import pytest

from kerasclf.config import TrainConfig
from kerasclf.data.problems import CONFLICT, NEAR, list_problems
from kerasclf.doctor import main as doctor
from kerasclf.job.prepare import examine_data
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
    assert list(found) == ["file", "line", "problem", "group", "label", "text"]
    assert set(found["file"]) == {"t.csv"}
    # The first row is below the header.
    found["row"] = found["line"] - 1
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
    near = found[found["problem"] == NEAR]
    assert len(near) < n / 2
    pd.read_csv(table).query("label != 'z'").to_csv(table, index=False)
    assert doctor([str(table), f"--problems={tmp_path}/p.csv"]) == 0
    again = pd.read_csv(tmp_path / "p.csv", keep_default_na=False)
    assert again["problem"].value_counts()[CONFLICT] == 2
    assert doctor([str(table), f"--problems={tmp_path}/t.csv/p.csv"]) == 2


def test_lines_are_those_of_the_file(tmp_path):
    rows = [f"kalimat ke {n * 7919} di {WORDS[n % 8]};{'ab'[n % 2]}" for n in range(30)]
    rows[3:3] = ['"dua\nbaris";a', "", ";b", "sama;a", "Sama!;b"]
    path = tmp_path / "t.csv"
    path.write_text("sep=;\ntext;label\n" + "\n".join(rows))
    more = tmp_path / "more.xlsx"
    book = [("text", "label"), (None, None), ("lain", "a"), ("sama", "b"), ("lain", "a")]
    sheet = openpyxl.Workbook()
    for row in book:
        sheet.active.append(row)
    sheet.save(more)
    config = TrainConfig(data=path, test=more).resolved()
    found = list_problems(examine_data(config)[0])
    places = list(zip(found["file"], found["line"], found["problem"], strict=True))
    assert places == [
        ("t.csv", 9, "empty text"),
        ("more.xlsx", 5, "exact duplicate"),
        *[(file, line, CONFLICT) for file, line in SAME],
        *[(file, line, NEAR) for file, line in SAME],
    ]


SAME = [("t.csv", 10), ("t.csv", 11), ("more.xlsx", 4)]


def test_group_mates_are_no_near_duplicates(tmp_path):
    path = tmp_path / "t.csv"
    lines = [f"tulisan {n * 7919} {WORDS[n % 8]},{'ab'[n % 2]},{n // 2 or ''}" for n in range(40)]
    path.write_text("text,label,author\n" + "\n".join(lines) + "\nTULISAN 0 pasar!,a,\n")
    examples, groups, findings = examine_data(
        TrainConfig(data=path, group_column="author").resolved()
    )
    assert list_problems(examples)["line"].tolist() == [2, 42]
    assert findings["near_duplicate_rows"] == 2
    # 38 of 41 rows have one mate each, which is in training with a probability of 0.8.
    assert findings["naive_split_group_mates"] == pytest.approx(38 * 0.8 / 41, abs=1e-4)
    assert findings["naive_split_leak"] == pytest.approx(2 * 0.8 / 41, abs=1e-4)
    assert groups[2] == groups[3] != groups[4]
    assert groups[0] == groups[-1] != groups[1]
