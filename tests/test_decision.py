import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from kerasclf.decision.costs import read_costs
from kerasclf.decision.offsets import cross_fitted_gain, fit_offsets, macro_f1
from kerasclf.decision.rule import Decision, fit_decision
from kerasclf.decision.temperature import fit_temperature
from kerasclf.errors import UserError


def sample(n, num_classes, seed, signal=1.5):
    random = np.random.default_rng(seed)
    shares = 1 / np.arange(1, num_classes + 1) ** 1.5
    class_ids = random.choice(num_classes, n, p=shares / shares.sum())
    logits = random.normal(size=(n, num_classes))
    logits[np.arange(n), class_ids] += signal
    return logits, class_ids


def test_temperature_finds_the_scale_that_made_the_labels():
    random = np.random.default_rng(0)
    logits = random.normal(size=(20000, 3)) * 2
    class_ids = np.array([random.choice(3, p=p) for p in softmax(logits, axis=1)])
    assert fit_temperature(logits, class_ids) == pytest.approx(1.0, abs=0.05)
    assert fit_temperature(logits * 3, class_ids) == pytest.approx(3.0, abs=0.15)


def test_temperature_keeps_labels():
    logits, class_ids = sample(200, 4, 0)
    plain, scaled = (
        Decision(t, (0.0,) * 4).decide(logits) for t in (1.0, fit_temperature(logits, class_ids))
    )
    assert (plain == scaled).all()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("n", "num_classes"), [(5, 2), (40, 3), (300, 8)])
def test_offsets_are_never_worse_than_argmax_on_the_rows_they_were_fitted_on(n, num_classes, seed):
    logits, class_ids = sample(n, num_classes, seed)
    scores = log_softmax(logits, axis=1)
    offsets = fit_offsets(scores, class_ids)
    plain = macro_f1(class_ids, scores.argmax(axis=1))
    assert macro_f1(class_ids, (scores + offsets).argmax(axis=1)) >= plain


def test_offsets_undo_a_bias():
    logits, class_ids = sample(4000, 4, 1)
    biased = logits + np.array([0, 0, 0, -2.0])
    scores = log_softmax(biased, axis=1)
    offsets = fit_offsets(scores, class_ids)
    assert offsets[3] - offsets[:3].mean() > 1
    assert (
        macro_f1(class_ids, (scores + offsets).argmax(axis=1))
        > macro_f1(class_ids, scores.argmax(axis=1)) + 0.05
    )


def test_offsets_stay_small_where_classes_are_far_apart():
    scores = np.log(np.array([[0.999, 0.001]] * 20 + [[0.002, 0.998]] * 5 + [[0.6, 0.4]]))
    class_ids = np.array([0] * 20 + [1] * 6)
    offsets = fit_offsets(scores, class_ids)
    assert macro_f1(class_ids, (scores + offsets).argmax(axis=1)) == 1.0
    assert np.ptp(offsets) < 1.0


def test_cross_fitting_sees_through_noise():
    random = np.random.default_rng(0)
    gains = [
        cross_fitted_gain(
            log_softmax(random.normal(size=(60, 3)) + 4 * np.eye(3)[np.arange(60) % 3], 1),
            np.arange(60) % 3,
            0,
        )
        for _ in range(5)
    ]
    assert max(gain - error for gain, error in gains) <= 0.0


def test_offsets_are_kept_only_if_they_help_on_other_rows():
    logits, class_ids = sample(2000, 4, 2)
    decision, choice = fit_decision(logits - [0, 0, 0, 2.0], class_ids, None, None, 0)
    assert choice["rule"] == "offsets"
    assert choice["cross_fitted_gain"] > choice["cross_fitted_error"] > 0
    perfect = 10 * np.eye(4)[class_ids]
    decision, choice = fit_decision(perfect, class_ids, None, None, 0)
    assert choice["rule"] == "argmax"
    assert set(decision.offsets) == {0.0}


def test_costs_by_hand():
    # p = (0.7, 0.3); missing a "1" costs ten times as much: 0.3 * 10 > 0.7 * 1.
    logits = np.log(np.array([[0.7, 0.3], [0.95, 0.05]]))
    decision = Decision(1.0, (0.0, 0.0), costs=((0.0, 1.0), (10.0, 0.0)))
    assert decision.decide(logits).tolist() == [1, 0]
    assert Decision(1.0, (0.0, 0.0)).decide(logits).tolist() == [0, 0]


def test_review_flags_low_probabilities():
    logits = np.log(np.array([[0.7, 0.3], [0.95, 0.05]]))
    decision = Decision(1.0, (0.0, 0.0), review_below=0.8)
    assert decision.flag(logits, decision.decide(logits)).tolist() == [True, False]
    never = Decision(1.0, (0.0, 0.0))
    assert never.flag(logits, never.decide(logits)).tolist() == [False, False]


def test_saves_and_loads(tmp_path):
    decision = Decision(1.3, (0.5, -0.5), ((0.0, 1.0), (2.0, 0.0)), 0.6)
    decision.save(tmp_path / "decision.json")
    assert Decision.load(tmp_path / "decision.json") == decision


@pytest.mark.parametrize(
    "content", ['{"a": {"c": 1}}', "[]", '{"a": {"b": -1}}', "{}", '{"a": 1}', '{"a": {"b": "1"}}']
)
def test_bad_cost_matrices(tmp_path, content):
    path = tmp_path / "costs.json"
    path.write_text(content)
    with pytest.raises(UserError, match="expected"):
        read_costs(path, ("a", "b"))


def test_cost_matrix(tmp_path):
    path = tmp_path / "costs.json"
    path.write_text('{"b": {"a": 5}}')
    assert read_costs(path, ("a", "b")).tolist() == [[0, 0], [5, 0]]
