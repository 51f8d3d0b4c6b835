import numpy as np
import pandas as pd
import pytest

from kerasclf.data.duplicates import group_texts
from kerasclf.data.examples import clean
from kerasclf.data.splits import assign_groups, split_examples
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
    """600 rows of 3 classes, a third of them near-duplicates of others, in 40 threads."""
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
    # The data has groups that a naive split would tear apart.
    assert np.bincount(groups).max() > 2


def test_split_shares_hold_in_every_class(noisy):
    split = split_examples(noisy, group(noisy), 0.1, 0.2, 0)
    for _, rows in split.groupby("label"):
        counts = rows["split"].value_counts()
        assert counts["test"] == pytest.approx(0.2 * len(rows), abs=3)
        assert counts["validation"] == pytest.approx(0.1 * len(rows), abs=3)


def test_groups_of_one_row_fill_classes_to_within_one_row():
    class_ids = np.repeat([0, 1, 2], [100, 30, 10])
    split = assign_groups(class_ids, np.arange(140), {"validation": 0.1, "test": 0.2}, 5)
    table = pd.crosstab(class_ids, split)
    assert table["test"].tolist() == [20, 6, 2]
    assert table["validation"].tolist() == [10, 3, 1]


def test_splits_depend_on_the_seed_alone(noisy):
    groups = group(noisy)
    first, again, other = (
        split_examples(noisy, groups, 0.1, 0.2, seed)["split"].tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_given_test_rows_stay_and_their_duplicates_leave_training():
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
    split = split_examples(examples, group(examples), 0.1, 0.2, 0)["split"].tolist()
    assert split == ["test", "", "train", "validation", "train", *splits[5:]]


def test_exact_duplicates_are_kept_in_the_test_split():
    examples = make_examples(
        ["m", "m", "m", *"abcdef"],
        ["x", "x", "x", "x", "x", "y", "y", "y", "x"],
        ["train", "validation", "test", *["train"] * 6],
    )
    kept = examples.rows[examples.rows["text"] == "m"]
    assert kept["split"].tolist() == ["test"]
    assert examples.dropped == {"exact duplicate": 2}


def test_validation_is_taken_from_training_if_only_a_test_split_is_given():
    texts = [f"text number {i} {i * 7919}" for i in range(100)]
    labels = ["a", "b"] * 50
    splits = ["test"] * 20 + ["train"] * 80
    examples = make_examples(texts, labels, splits)
    split = split_examples(examples, np.arange(100), 0.1, 0.2, 0)["split"]
    assert (split[:20] == "test").all()
    counts = split.value_counts()
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
    split = split_examples(more, group(more), 0.1, 0.2, 99, locked)["split"]
    assert set(more.rows["text"][split == "test"]) == set(test["text"])
    # The copies of test rows are dropped, and the new text is a training row.
    is_copy = more.rows["text"].isin(copies)
    assert set(split[is_copy]) == {""}
    assert split[more.rows["text"] == "something new altogether"].tolist() == ["train"]


def test_locked_split_rejects_other_data(noisy):
    locked = split_examples(noisy, group(noisy), 0.1, 0.2, 0)
    other = make_examples([f"other {i}" for i in range(30)], ["a", "b", "c"] * 10)
    with pytest.raises(UserError, match="locked test rows are not in this data"):
        split_examples(other, np.arange(30), 0.1, 0.2, 0, locked)


def test_a_class_in_one_group_cannot_be_split():
    texts = [f"message {i} of its own" for i in range(20)]
    examples = make_examples(
        [*texts, "same text", "Same text", "same text!", "same, text"], ["a"] * 20 + ["b"] * 4
    )
    with pytest.raises(UserError, match="no row of class 'b' is left"):
        split_examples(examples, group(examples), 0.1, 0.2, 0)
