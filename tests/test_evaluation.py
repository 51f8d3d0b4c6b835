import numpy as np
import pytest
from sklearn import metrics as sk

from kerasclf.config import TrainConfig
from kerasclf.data.registry import DATA_SETS
from kerasclf.decision.rule import Decision
from kerasclf.errors import UserError
from kerasclf.evaluation.baseline import predict_baseline
from kerasclf.evaluation.predictions import evaluate
from kerasclf.evaluation.targets import check_targets, parse_target
from kerasclf.job.prepare import prepare_job
from kerasclf.statistics.bootstrap import compare, measure, measure_once
from kerasclf.statistics.metrics import (
    class_scores,
    confusion_matrix,
    expected_calibration_error,
    log_losses,
    macro_f1,
    summarize,
)


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(0)
    class_ids = random.choice(4, 500, p=[0.6, 0.2, 0.15, 0.05])
    predicted = np.where(random.random(500) < 0.7, class_ids, random.integers(0, 4, 500))
    return class_ids, predicted


def test_confusion_by_hand():
    found = confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_metrics_agree_with_scikit_learn(sample):
    class_ids, predicted = sample
    found = summarize(confusion_matrix(class_ids, predicted, 4), ordered=True)
    expected = {
        "accuracy": sk.accuracy_score(class_ids, predicted),
        "macro_f1": sk.f1_score(class_ids, predicted, average="macro"),
        "weighted_f1": sk.f1_score(class_ids, predicted, average="weighted"),
        "mcc": sk.matthews_corrcoef(class_ids, predicted),
        "quadratic_kappa": sk.cohen_kappa_score(class_ids, predicted, weights="quadratic"),
        "off_by_two": (np.abs(class_ids - predicted) >= 2).mean(),
    }
    assert {name: float(value) for name, value in found.items()} == pytest.approx(expected)


def test_class_scores_agree_with_scikit_learn_and_are_zero_for_a_class_never_predicted(sample):
    class_ids = sample[0]
    predicted = np.where(sample[1] == 3, 0, sample[1])
    found = class_scores(confusion_matrix(class_ids, predicted, 4))
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        class_ids, predicted, zero_division=0
    )
    for name, expected in zip(
        ("precision", "recall", "f1", "support"), (precision, recall, f1, support), strict=True
    ):
        np.testing.assert_allclose(found[name], expected)
    assert found["f1"][3] == 0


def test_calibration_error_by_hand():
    # Bins around 0.9 (half right: gap 0.4) and 0.5 (all right: gap 0.5), two rows each.
    log_probabilities = np.log(np.array([[0.9, 0.1], [0.9, 0.1], [0.5, 0.5], [0.5, 0.5]]))
    class_ids = np.array([0, 1, 0, 0])
    assert expected_calibration_error(log_probabilities, class_ids) == pytest.approx(0.45)


def test_log_loss_by_hand():
    log_probabilities = np.log(np.array([[0.5, 0.5], [0.1, 0.9]]))
    assert np.exp(-log_losses(log_probabilities, np.array([0, 1]))) == pytest.approx([0.5, 0.9])


def test_interval_of_accuracy_is_that_of_a_share():
    random = np.random.default_rng(1)
    class_ids = random.integers(0, 2, 2000)
    predicted = np.where(random.random(2000) < 0.8, class_ids, 1 - class_ids)
    scores = np.log(np.full((2000, 2), 0.5))
    entry = measure(class_ids, predicted, scores, False, 0)["accuracy"]
    error = np.sqrt(0.8 * 0.2 / 2000)
    assert entry["low"] < entry["value"] < entry["high"]
    assert entry["high"] - entry["low"] == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_comparison_is_paired():
    random = np.random.default_rng(2)
    class_ids = random.integers(0, 3, 1000)
    good = np.where(random.random(1000) < 0.8, class_ids, (class_ids + 1) % 3)
    # Right in the same rows and in 20 more: a small difference, but a sure one.
    better = good.copy()
    better[np.flatnonzero(good != class_ids)[:20]] = class_ids[
        np.flatnonzero(good != class_ids)[:20]
    ]
    assert compare(class_ids, better, good, 3, 0)["verdict"] == "better"
    assert compare(class_ids, good, better, 3, 0)["verdict"] == "worse"
    same = compare(class_ids, good, good, 3, 0)
    assert (same["verdict"], same["low"], same["high"]) == ("undecided", 0, 0)
    other = np.where(random.random(1000) < 0.8, class_ids, (class_ids + 2) % 3)
    assert compare(class_ids, other, good, 3, 0)["verdict"] == "undecided"


def test_targets():
    found = check_targets(
        ("accuracy>=0.85", "latency_p99_ms<100", "macro_f1>=0.8", "quadratic_kappa>0.5"),
        {"accuracy": 0.85, "latency_p99_ms": 101.0, "macro_f1": 0.75},
    )
    assert [entry["met"] for entry in found] == [True, False, False, False]
    assert [entry["margin"] for entry in found][:3] == pytest.approx([0, -1, -0.05])
    assert found[3]["value"] is None


def test_every_metric_can_be_a_target(sample):
    class_ids, predicted = sample
    names = measure_once(class_ids, predicted, np.log(np.full((500, 4), 0.25)), ordered=True)
    assert [parse_target(f"{name}>=0.5") for name in names] == [(n, ">=", 0.5) for n in names]


@pytest.mark.parametrize("target", ["macro_f1", "f1>=0.8", "accuracy>=high", "accuracy==1", ""])
def test_bad_targets(target):
    with pytest.raises(UserError, match="expected a metric"):
        parse_target(target)


def test_a_class_without_rows_has_no_part_in_the_mean():
    class_ids, predicted = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 0])
    # Class 0: 1 hit, 2 rows, 2 predictions; class 1: 1 hit, 2 rows, 1 prediction.
    expected = (2 / 4 + 2 / 3) / 2
    assert macro_f1(confusion_matrix(class_ids, predicted, 3)) == pytest.approx(expected)


def test_baseline_learns_and_reads_no_test_rows():
    texts = ["good day", "nice day", "good morning", "schlecht", "sehr schlecht", "schlimm"] * 3
    class_ids = np.array([0, 0, 0, 1, 1, 1] * 3)
    validation = (["good", "schlechter"], np.array([0, 1]))
    found = predict_baseline((texts, class_ids), validation, ["a good one", "schlecht"], 0)
    assert found.predicted.tolist() == [0, 1]
    assert found.validation == {"linear SVM": 1, "logistic regression": 1}


def test_baseline_is_the_better_model_on_validation_rows():
    random = np.random.default_rng(0)
    words = np.array(["red", "blue", "green", "old", "new", "big", "small", "round"])
    texts = [" ".join(row) for row in random.choice(words, (120, 4))]
    # The label is noise, so that the models differ by chance.
    class_ids = random.integers(0, 2, 120)
    found = predict_baseline(
        (texts[:60], class_ids[:60]), (texts[60:], class_ids[60:]), texts[60:], 0
    )
    best = max(found.validation, key=found.validation.get)
    assert len(set(found.validation.values())) == 2
    assert found.name.endswith(best)
    # Test texts are the validation texts here.
    score = sk.f1_score(class_ids[60:], found.predicted, average="macro")
    assert score == pytest.approx(found.validation[best])


def test_evaluation_of_a_model():
    texts = ["a" * 10, "b" * 40, "c" * 300, "d" * 10]
    logits = np.log(np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.55, 0.45]]))
    decision = Decision(1.0, (0.0, 0.0), review_below=0.6)
    found = evaluate(texts, np.array([0, 1, 1, 0]), logits, decision, ("x", "y"), False, 0)
    assert found["measures"]["accuracy"]["value"] == 0.75
    assert found["confusion"] == [[2, 0], [1, 1]]
    assert [slice_["rows"] for slice_ in found["by_length"]] == [2, 1, 1]
    assert found["by_length"][2]["macro_f1"] == 0
    assert found["worst_errors"] == [
        {"text": "c" * 300, "label": "y", "predicted_label": "x", "confidence": pytest.approx(0.7)}
    ]
    assert found["review"]["share"] == 0.25
    assert found["review"]["accuracy_of_rest"] == pytest.approx(2 / 3)


def test_interval_holds_the_value_where_classes_are_rare():
    class_ids = np.arange(40)
    scores = np.where(np.eye(40) > 0, -0.01, -8.0)
    entry = measure(class_ids, class_ids, scores, False, 0)["macro_f1"]
    assert (entry["low"], entry["value"], entry["high"]) == (1, 1, 1)


def test_targets_are_those_of_the_data_set_or_none(table, tmp_path):
    assert prepare_job(TrainConfig(data=table, output=tmp_path)).config.target == ()
    assert DATA_SETS["id-hate"].targets == (
        "accuracy>=0.85",
        "macro_f1>=0.80",
        "latency_p99_ms<100",
    )
    assert DATA_SETS["chat-language"].targets == ()
    for target in DATA_SETS["id-hate"].targets:
        parse_target(target)
