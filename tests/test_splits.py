import numpy as np
import pandas as pd
import pytest

from kerasclf.data.duplicates import group_texts
from kerasclf.data.examples import clean
from kerasclf.data.splits import deal, split_examples
from kerasclf.errors import UserError


def make_examples(texts, labels, splits=None, groups=None, **keywords):
    n = len(texts)
    rows = pd.DataFrame(
        {
            "row": range(n),
            "text": texts,
            "label": labels,
            "group": groups or [""] * n,
            "split": splits or [""] * n,
        }
    )
    return clean(rows, "t", (), False, {}, keywords.get("min_class_rows", 0))


def group(examples):
    return group_texts(examples.rows["text"].tolist(), examples.rows["group"].tolist())


@pytest.fixture(scope="module")
def noisy():
    """600 rows of 3 classes, a third of them near-copies of others, in 40 threads."""
    random = np.random.default_rng(3)
    letters = list("abcdefghij ")
    texts = ["".join(random.choice(letters, 60)) for _ in range(400)]
    texts += [text[:30] + "z" + text[31:] for text in texts[:150]] + [t.upper() for t in texts[:50]]
    labels = random.choice(["x", "y", "z"], 600, p=[0.8, 0.15, 0.05]).tolist()
    threads = [f"thread {i}" if i < 40 else "" for i in random.integers(0, 400, 600)]
    return make_examples(texts, labels, groups=threads)


def test_no_group_straddles_splits(noisy):
    groups = group(noisy)
    split = split_examples(noisy, groups, 0.1, 0.2, 0)["split"]
    assert set(split) == {"train", "validation", "test"}
    assert pd.Series(split).groupby(groups).nunique().max() == 1
    threads = noisy.rows["group"]
    assert split[threads != ""].groupby(threads[threads != ""]).nunique().max() == 1
    # The data does hold groups that a naive split would have torn.
    assert np.bincount(groups).max() > 2


def test_shares_hold_in_every_class(noisy):
    split = split_examples(noisy, group(noisy), 0.1, 0.2, 0)
    for _, rows in split.groupby("label"):
        counts = rows["split"].value_counts()
        assert counts["test"] == pytest.approx(0.2 * len(rows), abs=3)
        assert counts["validation"] == pytest.approx(0.1 * len(rows), abs=3)


def test_single_rows_are_dealt_to_within_one():
    classes = np.repeat([0, 1, 2], [100, 30, 10])
    split = deal(classes, np.arange(140), {"validation": 0.1, "test": 0.2}, 5)
    table = pd.crosstab(classes, split)
    assert table["test"].tolist() == [20, 6, 2]
    assert table["validation"].tolist() == [10, 3, 1]


def test_seed_decides(noisy):
    groups = group(noisy)
    first, again, other = (
        split_examples(noisy, groups, 0.1, 0.2, seed)["split"].tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_given_test_rows_stay_and_their_copies_leave_training():
    texts = ["the same long message for all", "the same long message for all!", "u1", "u2", "u3"]
    texts += ["v1", "v2", "v3", "v4"]
    labels = ["a"] * 5 + ["b"] * 4
    splits = [
        "test",
        "train",
        "train",
        "validation",
        "train",
        "train",
        "test",
        "validation",
        "train",
    ]
    examples = make_examples(texts, labels, splits)
    found = split_examples(examples, group(examples), 0.1, 0.2, 0)["split"].tolist()
    assert found == ["test", "", "train", "validation", "train", *splits[5:]]


def test_exact_copies_are_kept_where_they_are_measured():
    examples = make_examples(
        ["m", "m", "m", *"abcdef"],
        ["x", "x", "x", "x", "x", "y", "y", "y", "x"],
        ["train", "validation", "test", *["train"] * 6],
    )
    kept = examples.rows[examples.rows["text"] == "m"]
    assert kept["split"].tolist() == ["test"]
    assert examples.dropped == {"exact duplicate": 2}


def test_validation_is_cut_from_training_where_only_a_test_is_given():
    texts = [f"text number {i} {i * 7919}" for i in range(100)]
    labels = ["a", "b"] * 50
    splits = ["test"] * 20 + ["train"] * 80
    examples = make_examples(texts, labels, splits)
    found = split_examples(examples, np.arange(100), 0.1, 0.2, 0)["split"]
    assert (found[:20] == "test").all()
    counts = found.value_counts()
    assert (counts["test"], counts["validation"], counts["train"]) == (20, 10, 70)


def test_locked_split_keeps_test_rows_when_rows_are_added(noisy):
    groups = group(noisy)
    locked = split_examples(noisy, groups, 0.1, 0.2, 0)
    rows = noisy.rows
    test = rows[locked["split"] == "test"]
    copies = [text.upper() + "!!" for text in test["text"]]
    more = make_examples(
        [*copies, "something new altogether", *rows["text"].tolist()],
        [*test["label"], "x", *rows["label"]],
    )
    found = split_examples(more, group(more), 0.1, 0.2, 99, locked)
    was_test = set(test["text"])
    now_test = set(more.rows["text"][found["split"] == "test"])
    assert now_test == was_test
    # The copies of test rows are dropped, the new text is learned from.
    of_copies = more.rows["text"].isin(copies)
    assert set(found["split"][of_copies]) == {""}
    assert found["split"][more.rows["text"] == "something new altogether"].tolist() == ["train"]


def test_locked_split_refuses_other_data(noisy):
    locked = split_examples(noisy, group(noisy), 0.1, 0.2, 0)
    other = make_examples([f"other {i}" for i in range(30)], ["a", "b", "c"] * 10)
    with pytest.raises(UserError, match="locked test rows are not in this data"):
        split_examples(other, np.arange(30), 0.1, 0.2, 0, locked)


def test_a_class_in_one_group_cannot_be_measured():
    texts = [f"message {i} of its own" for i in range(20)] + ["same"] * 4
    examples = make_examples(
        [*texts[:20], "same text", "Same text", "same text!", "same, text"], ["a"] * 20 + ["b"] * 4
    )
    with pytest.raises(UserError, match="no row of class 'b' is left"):
        split_examples(examples, group(examples), 0.1, 0.2, 0)
