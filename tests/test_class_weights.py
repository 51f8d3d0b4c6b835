import json

import numpy as np
import pytest

from kerasclf.errors import UserError
from kerasclf.training.class_weights import balanced, class_weights, effective

LABELS = ("a", "b")


def test_balanced_by_eye():
    assert balanced(np.array([100, 50])).tolist() == [0.75, 1.5]
    assert balanced(np.array([30, 30, 30])).tolist() == [1, 1, 1]


def test_effective_lies_between_none_and_balanced():
    counts = np.array([10000, 100])
    assert effective(counts, beta=0.0).tolist() == pytest.approx([1, 1])
    assert effective(counts, beta=1 - 1e-9) == pytest.approx(balanced(counts), rel=1e-3)
    ratio = np.divide(*effective(counts)[::-1])
    assert 1 < ratio < 100
    # (1 - 0.999^10000) / (1 - 0.999^100)
    assert ratio == pytest.approx(10.503, abs=0.001)


@pytest.mark.parametrize("weigh", [balanced, effective])
def test_the_mean_row_weighs_one(weigh):
    counts = np.array([7000, 900, 80, 3])
    assert (weigh(counts) * counts).sum() / counts.sum() == pytest.approx(1.0)


def test_choices(tmp_path):
    counts = np.array([100, 50])
    assert class_weights("none", counts, LABELS) is None
    assert class_weights("balanced", counts, LABELS) == [0.75, 1.5]
    path = tmp_path / "weights.json"
    path.write_text(json.dumps({"b": 3, "a": 1}))
    assert class_weights(str(path), counts, LABELS) == [1.0, 3.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}', "weight for each of a, b"),
        ('{"a": 1, "b": -1}', "expected positive numbers"),
        ("[1, 2]", "weight for each of a, b"),
        ("{", "not JSON"),
    ],
)
def test_bad_files(tmp_path, content, message):
    path = tmp_path / "weights.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        class_weights(str(path), np.array([1, 1]), LABELS)


def test_unknown_choice():
    with pytest.raises(UserError, match="expected none, balanced, effective or a JSON file"):
        class_weights("blanced", np.array([1, 1]), LABELS)
