"""Reports of models with more classes than a picture shows."""

import numpy as np
import pytest

from kerasclf import cli
from kerasclf.classifier import KerasClassifier
from kerasclf.linear.featurizer import NgramFeaturizer
from kerasclf.linear.fit import fit_linear
from kerasclf.linear.layer import build_linear_core
from kerasclf.report.many_classes import confused_pairs, fold_confusion, weakest
from kerasclf.report.page import render
from kerasclf.report.plots import plot_classes, plot_confusion
from kerasclf.run.layout import RunLayout
from kerasclf.statistics.metrics import (
    CONFUSION_METRICS,
    class_scores,
    confusion_matrix,
    count_classes,
)


@pytest.fixture
def sample():
    """True and predicted class ids of 900 rows of 300 classes, and the labels."""
    random = np.random.default_rng(0)
    class_ids = np.arange(900) % 300
    predicted = np.where(random.random(900) < 0.7, class_ids, random.integers(0, 300, 900))
    return class_ids, predicted, [f"class {i}" for i in range(300)]


def test_counts_give_what_the_matrix_gives(sample):
    class_ids, predicted, _ = sample
    confusion = confusion_matrix(class_ids, predicted, 300)
    counts = count_classes(class_ids, predicted, 300)
    for metric in CONFUSION_METRICS.values():
        assert metric(counts) == metric(confusion)
    for name, values in class_scores(counts).items():
        np.testing.assert_array_equal(values, class_scores(confusion)[name])


def test_pairs_by_hand():
    confusion = np.array([[5, 3, 0], [1, 4, 0], [0, 2, 2]])
    assert confused_pairs(confusion, ["a", "b", "c"]) == [
        {"label": "a", "predicted_label": "b", "rows": 3, "share": 3 / 8},
        {"label": "c", "predicted_label": "b", "rows": 2, "share": 0.5},
        {"label": "b", "predicted_label": "a", "rows": 1, "share": 0.2},
    ]


def test_a_folded_matrix_keeps_every_row(sample):
    class_ids, predicted, labels = sample
    confusion = confusion_matrix(class_ids, predicted, 300).astype(int)
    folded, names = fold_confusion(confusion, labels)
    assert folded.shape == (41, 41)
    assert folded.sum() == 900
    assert names[-1] == "others"
    first = labels.index(names[0])
    assert folded[0, 0] == confusion[first, first]
    assert folded[0].sum() == confusion[first].sum()
    few = confusion[:3, :3]
    assert fold_confusion(few, labels[:3])[0] is few


def test_weakest_classes_have_rows():
    per_class = {
        "good": {"f1": 0.9, "support": 5.0},
        "absent": {"f1": 0.0, "support": 0.0},
        "bad": {"f1": 0.1, "support": 3.0},
    }
    assert weakest(per_class, 2) == ["bad", "good"]


def test_pictures_of_1500_classes_are_small(sample):
    class_ids, predicted, _ = sample
    labels = [f"class {i}" for i in range(1500)]
    confusion = confusion_matrix(class_ids, predicted, 1500).astype(int)
    assert len(plot_confusion(*fold_confusion(confusion, labels))) < 500_000
    assert len(plot_classes(dict.fromkeys(labels, 5))) < 100_000


def test_report_is_drawn_again(run, capsys):
    layout = RunLayout(run)
    before = layout.report.read_text(), layout.model_card.read_text()
    layout.report.unlink()
    assert cli.main(["report", str(run)]) == 0
    assert str(layout.report) in capsys.readouterr().out
    assert (layout.report.read_text(), layout.model_card.read_text()) == before


def test_a_report_that_fails_does_not_cost_the_run(table, tmp_path, monkeypatch, capsys):
    def fail(*arguments, **values):
        raise MemoryError("too many classes")

    monkeypatch.setattr("kerasclf.report.page.render", fail)
    options = [f"--data={table}", f"--output={tmp_path}", "--encoder=linear", "--max-bytes=48"]
    assert cli.main(["train", *options]) == 0
    message = capsys.readouterr().err
    assert "the report was not drawn (MemoryError: too many classes)" in message
    assert f"kerasclf report {tmp_path}/greetings/1" in message
    monkeypatch.setattr("kerasclf.report.page.render", render)
    assert cli.main(["report", f"{tmp_path}/greetings"]) == 0
    assert RunLayout.open(tmp_path / "greetings").report.is_file()


def test_more_classes_than_a_report_can_show_are_refused(tmp_path, capsys):
    rows = "".join(f"text {i} {j},class {i}\n" for i in range(3001) for j in range(3))
    (tmp_path / "many.csv").write_text("text,label\n" + rows)
    assert cli.main(["train", f"--data={tmp_path}/many.csv", f"--output={tmp_path}"]) == 2
    message = capsys.readouterr().err.strip()
    assert "found 3001 classes, such as 'class 0'; expected at most 3000" in message
    assert "\n" not in message


def test_a_batch_is_smaller_the_more_classes_there_are(monkeypatch):
    labels = [f"class {i}" for i in range(1500)]
    texts, class_ids = labels * 3, np.tile(np.arange(1500), 3)
    linear = fit_linear(texts, class_ids, 1500, max_bytes=64, terms=64, inverse_penalty=1.0, seed=0)
    featurizer = NgramFeaturizer(linear.max_bytes, linear.vocabulary)
    classifier = KerasClassifier(featurizer, build_linear_core(linear), labels)
    expected = linear.logits(labels[:300])
    sizes = []
    whole = classifier._logits
    monkeypatch.setattr(
        classifier, "_logits", lambda texts: sizes.append(len(texts)) or whole(texts)
    )
    np.testing.assert_allclose(classifier.logits(labels[:300]), expected, atol=1e-5)
    assert max(sizes) == 10_000_000 // (64 * 1500)
