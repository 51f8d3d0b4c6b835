"""The focal loss for class ids and logits."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kerasclf")
class SparseFocalLoss(keras.losses.Loss):
    """Focal loss from logits, with per-class weights and label smoothing.

    For logits z of a row of class y, probabilities p = softmax(z) and the smoothed target
    t = (1 - s) onehot(y) + s / classes:

        loss = w[y] * sum_k t[k] * (1 - p[k])^gamma * -log(p[k])

    With gamma 0 this is the weighted, smoothed cross-entropy; rows that are predicted well count
    less as gamma grows (Lin et al., Focal Loss for Dense Object Detection, 2017,
    https://arxiv.org/abs/1708.02002).

    Example:

        >>> loss = SparseFocalLoss(gamma=2.0, class_weights=[0.75, 1.5])
        >>> float(loss([1], [[0.0, 0.0]]))  # 1.5 * 0.5^2 * ln 2
        0.2599302...
    """

    def __init__(
        self,
        gamma: float = 2.0,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        name: str = "sparse_focal_loss",
        **kwargs: Any,
    ):
        """Makes the loss.

        Args:
            gamma: focusing, at least 0.
            class_weights: one positive weight a class; None weighs all by 1.
            label_smoothing: share of the target that is spread over all classes, 0 to under 1.
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
        """Loss of each row.

        Args:
            y_true: [batch] or [batch, 1], integer class ids.
            y_pred: [batch, classes], float logits.

        Returns:
            [batch] float32.
        """
        logits = ops.cast(y_pred, "float32")
        classes = logits.shape[-1]
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        target = ops.one_hot(labels, classes, dtype="float32")
        if self.label_smoothing:
            target = target * (1 - self.label_smoothing) + self.label_smoothing / classes
        log_probabilities = ops.log_softmax(logits, axis=-1)
        terms = -target * log_probabilities
        if self.gamma:
            # 1 - p is kept off 0, where its power has no finite gradient for gamma under 1.
            rest = ops.maximum(1 - ops.exp(log_probabilities), keras.config.epsilon())
            terms = terms * ops.power(rest, self.gamma)
        loss = ops.sum(terms, axis=-1)
        if self.class_weights is not None:
            loss = loss * ops.take(ops.convert_to_tensor(self.class_weights, "float32"), labels)
        return loss

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this loss again."""
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "class_weights": self.class_weights,
            "label_smoothing": self.label_smoothing,
        }
