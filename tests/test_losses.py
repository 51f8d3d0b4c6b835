import keras
import numpy as np
import pytest

from kerasclf.training.losses import SparseFocalLoss

LOGITS = np.array([[2.0, 0.5, -1.0], [0.1, 0.2, 0.3], [-3.0, 4.0, 1.0]], dtype=np.float32)
LABELS = np.array([0, 2, 0])


def test_gamma_zero_is_cross_entropy():
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(LABELS, LOGITS)
    assert float(SparseFocalLoss(0.0)(LABELS, LOGITS)) == pytest.approx(float(expected), rel=1e-6)


def test_value_by_hand():
    # Two equal logits: p = 1/2, so the loss is w * (1/2)^2 * ln 2.
    loss = SparseFocalLoss(2.0, class_weights=[0.75, 1.5])
    assert float(loss([0], [[0.0, 0.0]])) == pytest.approx(0.75 * 0.25 * np.log(2), rel=1e-6)
    assert float(loss([1], [[0.0, 0.0]])) == pytest.approx(1.5 * 0.25 * np.log(2), rel=1e-6)
    # p = 0.8: ln 4 apart.
    assert float(SparseFocalLoss(1.0)([1], [[0.0, np.log(4.0)]])) == pytest.approx(
        0.2 * -np.log(0.8), rel=1e-5
    )


def test_smoothing_by_hand():
    # Target (0.9, 0.1) on p = (0.8, 0.2).
    loss = SparseFocalLoss(0.0, label_smoothing=0.2)([0], [[np.log(4.0), 0.0]])
    assert float(loss) == pytest.approx(-0.9 * np.log(0.8) - 0.1 * np.log(0.2), rel=1e-6)


def test_loss_falls_as_gamma_grows():
    losses = [float(SparseFocalLoss(gamma)(LABELS, LOGITS)) for gamma in (0, 0.5, 1, 2, 5)]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) == len(losses)


def test_easy_rows_count_less_against_hard_ones():
    easy, hard = [[4.0, 0.0]], [[0.0, 4.0]]
    ratios = [
        float(SparseFocalLoss(g)([0], hard)) / float(SparseFocalLoss(g)([0], easy)) for g in (0, 2)
    ]
    assert ratios[1] > 100 * ratios[0]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_gradient_is_finite_at_certainty(gamma):
    import tensorflow as tf

    logits = tf.Variable([[100.0, -100.0], [-100.0, 100.0]])
    with tf.GradientTape() as tape:
        loss = SparseFocalLoss(gamma)(np.array([0, 0]), logits)
    gradient = tape.gradient(loss, logits).numpy()
    assert np.isfinite(gradient).all()
    assert np.abs(gradient[1]).max() > 0.1


def test_labels_may_have_a_last_axis_and_half_precision_logits_are_raised():
    flat = SparseFocalLoss(2.0)(LABELS, LOGITS)
    column = SparseFocalLoss(2.0)(LABELS[:, None], LOGITS.astype("float16"))
    assert float(flat) == pytest.approx(float(column), rel=1e-3)


def test_is_serializable():
    loss = SparseFocalLoss(1.5, [1.0, 2.0, 3.0], 0.1)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(LABELS, LOGITS)) == float(loss(LABELS, LOGITS))


@pytest.mark.parametrize(
    "arguments", [{"gamma": -1}, {"label_smoothing": 1.0}, {"class_weights": [1.0, 0.0]}]
)
def test_refuses_what_is_out_of_range(arguments):
    with pytest.raises(ValueError, match="expected"):
        SparseFocalLoss(**arguments)
