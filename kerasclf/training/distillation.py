"""Distillation: learning from the probabilities of teachers as well as from labels."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from kerasclf.files import FORMAT, check_format, replacing

NO_LABEL = -1


@dataclass(frozen=True)
class SoftLabels:
    """Probabilities of teachers for the training rows and for a transfer set without labels.

    Attributes:
        probabilities: float32 [n, num_classes], for the n training rows in their order.
        temperature: divides the logits of both sides before they are compared.
        alpha: weight of the teachers in the loss, 0 to 1.
        transfer_texts: m texts without labels.
        transfer_probabilities: float32 [m, num_classes], for these texts.
    """

    probabilities: np.ndarray
    temperature: float
    alpha: float
    transfer_texts: list[str] = field(default_factory=list)
    transfer_probabilities: np.ndarray | None = None

    def repeat(self, sources: np.ndarray) -> Self:
        """Extends the training rows by augmented rows, which share their source's probabilities.

        Args:
            sources: int64 [m], positions of the training rows that were augmented.
        """
        augmented = self.probabilities[sources]
        return replace(self, probabilities=np.concatenate([self.probabilities, augmented]))

    def save(self, path: Path) -> None:
        """Writes everything as .npz, so that an interrupted run can be resumed."""
        arrays: dict[str, Any] = {
            "format": FORMAT,
            "soft_labels": self.probabilities,
            "settings": [self.temperature, self.alpha],
            "texts": json.dumps(self.transfer_texts),
        }
        if self.transfer_probabilities is not None:
            arrays["text_labels"] = self.transfer_probabilities
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        with np.load(path) as arrays:
            check_format(path, int(arrays.get("format", FORMAT)))
            temperature, alpha = arrays["settings"].tolist()
            texts = json.loads(str(arrays["texts"]))
            return cls(arrays["soft_labels"], temperature, alpha, texts, arrays.get("text_labels"))


@keras.saving.register_keras_serializable(package="kerasclf")
class DistillationLoss(keras.losses.Loss):
    """The weighted sum of a loss on labels and of the divergence from the teachers.

    For probabilities q of the teachers and logits z of the student at temperature T, with
    q_T = softmax(log(q) / T) and p_T = softmax(z / T):

        loss = alpha * T^2 * KL(q_T || p_T) + (1 - alpha) * hard_loss

    T^2 keeps the scale of the gradient as T grows (Hinton et al., Distilling the Knowledge in a
    Neural Network, 2015, https://arxiv.org/abs/1503.02531). Rows without a label (class id -1) have
    the first term only. Class weights apply to the hard loss only, since the teachers were trained
    with class weights themselves.
    """

    def __init__(
        self,
        hard_loss: keras.losses.Loss,
        temperature: float = 2.0,
        alpha: float = 0.5,
        name: str = "distillation_loss",
        **kwargs: Any,
    ):
        """Creates the loss.

        Args:
            hard_loss: loss of class ids and logits.
            temperature: positive.
            alpha: weight of the teachers, 0 to 1.
            name: name in logs.
            **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

        Raises:
            ValueError: a value is out of range.
        """
        super().__init__(name=name, **kwargs)
        if temperature <= 0 or not 0 <= alpha <= 1:
            raise ValueError(
                f"temperature is {temperature} and alpha {alpha}; expected above 0, and 0 to 1"
            )
        self.hard_loss, self.temperature, self.alpha = hard_loss, temperature, alpha

    def call(self, y_true, y_pred):
        """Computes the loss of each row.

        Args:
            y_true: float [batch, 1 + num_classes]: class id or -1, then probabilities.
            y_pred: float [batch, num_classes], logits.

        Returns:
            float32 [batch].
        """
        logits, y_true = ops.cast(y_pred, "float32"), ops.cast(y_true, "float32")
        ids, soft = ops.cast(y_true[:, 0], "int32"), y_true[:, 1:]
        log_soft = ops.log(ops.maximum(soft, keras.config.epsilon()))
        log_q = ops.log_softmax(log_soft / self.temperature, axis=-1)
        log_p = ops.log_softmax(logits / self.temperature, axis=-1)
        divergence = ops.sum(ops.exp(log_q) * (log_q - log_p), axis=-1)
        labelled = ops.cast(ids != NO_LABEL, "float32")
        hard = self.hard_loss.call(ops.maximum(ids, 0), logits) * labelled
        return self.alpha * self.temperature**2 * divergence + (1 - self.alpha) * hard

    def get_config(self) -> dict[str, Any]:
        """The arguments that recreate this loss."""
        return {
            **super().get_config(),
            "hard_loss": keras.saving.serialize_keras_object(self.hard_loss),
            "temperature": self.temperature,
            "alpha": self.alpha,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DistillationLoss":
        """Creates the loss from the result of `get_config`."""
        hard_loss = keras.saving.deserialize_keras_object(config["hard_loss"])
        return cls(**{**config, "hard_loss": hard_loss})
