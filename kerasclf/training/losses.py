"""Training losses of class ids and logits, and the registry that `--loss` selects from."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from kerasclf.config import TrainConfig
from kerasclf.errors import UserError


@keras.saving.register_keras_serializable(package="kerasclf")
class SparseFocalLoss(keras.losses.Loss):
    """Focal loss from logits, with per-class weights and label smoothing.

    For logits z of a row of class y, probabilities p = softmax(z) and the smoothed target
    t = (1 - s) onehot(y) + s / classes:

        loss = w[y] * sum_k t[k] * (1 - p[k])^gamma * -log(p[k])

    With gamma 0 this is the weighted, smoothed cross-entropy; the larger gamma, the less rows count
    that are already classified well (Lin et al., Focal Loss for Dense Object Detection, 2017,
    https://arxiv.org/abs/1708.02002).

    Example:

        >>> loss = SparseFocalLoss(gamma=2.0, class_weights=[0.75, 1.5])
        >>> round(float(loss([1], [[0.0, 0.0]])), 4)  # 1.5 * 0.5^2 * ln 2
        0.2599
    """

    def __init__(
        self,
        gamma: float = 2.0,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        name: str = "sparse_focal_loss",
        **kwargs: Any,
    ):
        """Creates the loss.

        Args:
            gamma: focusing parameter, at least 0.
            class_weights: one positive weight per class; None weights all classes by 1.
            label_smoothing: share of the target that is spread over all classes, in [0, 1).
            name: name in logs.
            **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

        Raises:
            ValueError: a value is out of range.
        """
        super().__init__(name=name, **kwargs)
        if gamma < 0:
            raise ValueError(f"gamma is {gamma}; expected at least 0")
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing is {label_smoothing}; expected 0 to under 1")
        if class_weights is not None and min(class_weights) <= 0:
            raise ValueError(f"class_weights are {class_weights}; expected positive numbers")
        self.gamma = gamma
        self.class_weights = None if class_weights is None else [float(w) for w in class_weights]
        self.label_smoothing = label_smoothing

    def call(self, y_true, y_pred):
        """Computes the loss of each row.

        Args:
            y_true: integer class ids, [batch] or [batch, 1].
            y_pred: float logits, [batch, num_classes].

        Returns:
            float32 [batch].
        """
        logits = ops.cast(y_pred, "float32")
        num_classes = logits.shape[-1]
        class_ids = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        target = ops.one_hot(class_ids, num_classes, dtype="float32")
        if self.label_smoothing:
            target = target * (1 - self.label_smoothing) + self.label_smoothing / num_classes
        log_probabilities = ops.log_softmax(logits, axis=-1)
        terms = -target * log_probabilities
        if self.gamma:
            # Keeps 1 - p above 0, where its power has no finite gradient for gamma below 1.
            rest = ops.maximum(1 - ops.exp(log_probabilities), keras.config.epsilon())
            terms = terms * ops.power(rest, self.gamma)
        loss = ops.sum(terms, axis=-1)
        if self.class_weights is not None:
            loss = loss * ops.take(ops.convert_to_tensor(self.class_weights, "float32"), class_ids)
        return loss

    def get_config(self) -> dict[str, Any]:
        """The arguments that recreate this loss."""
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "class_weights": self.class_weights,
            "label_smoothing": self.label_smoothing,
        }


LossBuilder = Callable[[TrainConfig, list[float] | None], keras.losses.Loss]
"""Builds a loss from a resolved configuration and the weight of each class (None: no weights)."""

LOSSES: dict[str, LossBuilder] = {
    "focal": lambda config, class_weights: SparseFocalLoss(
        config.focal_gamma, class_weights, config.label_smoothing
    ),
}
"""Losses of int class ids [batch] and float logits [batch, num_classes], by the value of --loss."""


def make_loss(config: TrainConfig, class_weights: list[float] | None) -> keras.losses.Loss:
    """Builds the loss that a configuration selects.

    Args:
        config: a resolved configuration.
        class_weights: one weight per class; None weights all classes equally.

    Raises:
        UserError: there is no such loss.
    """
    if config.loss not in LOSSES:
        raise UserError(f"--loss is {config.loss!r}; expected one of {', '.join(LOSSES)}")
    return LOSSES[config.loss](config, class_weights)
