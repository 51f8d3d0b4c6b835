"""Splits and labels that come with the data."""

import pandas as pd
import pytest

from kerasclf.config import TrainConfig
from kerasclf.data.examples import clean
from kerasclf.data.findings import _find_similar_labels
from kerasclf.errors import UserError
from kerasclf.job.prepare import prepare_job


def write(folder, **tables):
    """Writes tables of (text, label), and returns a configuration of them."""
    for name, rows in tables.items():
        pd.DataFrame(rows, columns=["text", "label"]).to_csv(folder / f"{name}.csv", index=False)
    paths = {name: folder / f"{name}.csv" for name in tables}
    return TrainConfig(data=paths.pop("train"), output=folder / "runs", **paths)


COLOURS = ["red", "green", "blue", "black", "white", "brown", "pink", "grey", "gold", "silver"]
PLACES = [
    "river",
    "forest",
    "city",
    "beach",
    "desert",
    "island",
    "valley",
    "harbour",
    "meadow",
    "canyon",
]
TRAIN = [
    (f"{colour} {place} number {i} {j}", ("good", "bad", "neutral")[(i + j) % 3])
    for i, colour in enumerate(COLOURS)
    for j, place in enumerate(PLACES)
]
TEST = [(f"completely other words {i} {'xy'[i % 2] * i}", ("good", "bad")[i % 2]) for i in range(9)]


def test_a_class_without_a_given_test_row_is_a_warning(tmp_path):
    job = prepare_job(write(tmp_path, train=TRAIN, test=TEST))
    assert job.examples.labels == ("bad", "good", "neutral")
    assert len(job.rows("test")) == 9
    expected = (
        "class 'neutral' has no test row: there is no figure for it, and macro-F1 is the mean"
    )
    assert [line for line in job.warnings() if expected in line]


def test_a_class_without_a_training_row_is_refused_with_the_labels_of_each_split(tmp_path):
    tables = {"train": TRAIN, "test": [*TEST, ("what is this", "good "), ("or this one", "odd")]}
    with pytest.raises(UserError) as caught:
        prepare_job(write(tmp_path, **tables))
    message = str(caught.value)
    assert "class 'good ' has no training row" in message
    assert "train has 'bad', 'good', 'neutral'; test has 'bad', 'good', 'good ', 'odd'" in message
    assert "near-duplicates" not in message


def test_training_rows_that_are_copies_of_test_rows_are_named(tmp_path):
    copies = [TEST[0], (TEST[1][0] + "!", TEST[1][1]), (TEST[2][0].upper(), "bad")]
    job = prepare_job(write(tmp_path, train=[*TRAIN, *copies], test=TEST))
    left_out = job.left_out()
    assert left_out["row"].tolist() == [100, 101, 102]
    assert left_out["kind"].tolist() == ["copy", "near-copy", "near-copy"]
    assert set(left_out["copy_of"]) == {"test"}
    warned = "3 training rows are copies or near-copies of test rows (33.3% of the test rows)"
    assert [line for line in job.warnings() if line.startswith(warned)]
    assert not [line for line in job.warnings() if "random split" in line]


def test_without_given_splits_nothing_is_left_out(tmp_path):
    job = prepare_job(write(tmp_path, train=[*TRAIN, (TRAIN[0][0] + "!", TRAIN[0][1])]))
    assert job.left_out().empty


def order(*labels):
    rows = pd.DataFrame(
        [(i, f"text {i} {label}", label, "", "") for i, label in enumerate(labels * 3)],
        columns=["row", "text", "label", "group", "split"],
    )
    return clean(rows, "t", (), False, {}, 0).labels


def test_numbers_are_ordered_by_value():
    assert order(*map(str, range(12))) == tuple(map(str, range(12)))
    assert order("1", "-1", "0") == ("-1", "0", "1")
    assert order("2.5", "10", "1") == ("1", "2.5", "10")
    assert order("b", "10", "a", "9") == ("9", "10", "a", "b")
    assert order("nan", "inf", "3") == ("3", "inf", "nan")


def test_labels_that_look_alike():
    def alike(*labels):
        return _find_similar_labels(pd.Series(labels))

    assert alike("-1", "0", "1") == []
    assert alike("0", "0.0", "1", "1.0") == [["0", "0.0"], ["1", "1.0"]]
    assert alike("caf\u00e9", "cafe\u0301") == [["cafe\u0301", "caf\u00e9"]]
    assert alike("ok", "ok\u200b", "OK ") == [["OK ", "ok", "ok\u200b"]]
    assert alike("not-ok", "Not OK", "+", "-") == [["Not OK", "not-ok"]]
