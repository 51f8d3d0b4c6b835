"""Learning from a teacher's probabilities besides the labels."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from kerasclf.files import replacing

NO_LABEL = -1


@dataclass(frozen=True)
class Teaching:
    """What a teacher says of the training rows, and of texts without a label.

    Attributes:
        soft_labels: float32 [n, classes], probabilities for the n training rows in their order.
        temperature: both sides' logits are divided by it before they are compared.
        alpha: share of the teacher in the loss, 0 to 1.
        texts: m further texts without labels.
        text_labels: float32 [m, classes], probabilities for those.
    """

    soft_labels: np.ndarray
    temperature: float
    alpha: float
    texts: list[str] = field(default_factory=list)
    text_labels: np.ndarray | None = None

    def repeat(self, sources: np.ndarray) -> Self:
        """The same with further training rows, of which the teacher says what it said of others.

        Args:
            sources: int64 [m], places of the training rows that the further ones were made of.
        """
        return replace(
            self, soft_labels=np.concatenate([self.soft_labels, self.soft_labels[sources]])
        )

    def extend(
        self, texts: list[str], classes: np.ndarray
    ) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Adds soft labels and further texts to training rows.

        Args:
            texts: n training texts.
            classes: int64 [n], their class ids.

        Returns:
            n + m texts; int64 [n + m], classes for the order of rows, those of further texts by the
            teacher; and targets float32 [n + m, 1 + classes] for `DistillationLoss`.
        """
        further = np.zeros((0, self.soft_labels.shape[1]), dtype=np.float32)
        if self.text_labels is not None:
            further = self.text_labels
        soft = np.concatenate([self.soft_labels, further]).astype(np.float32)
        hard = np.concatenate([classes, np.full(len(further), NO_LABEL)])
        order = np.concatenate([classes, further.argmax(axis=1)]).astype(np.int64)
        targets = np.concatenate([hard[:, None].astype(np.float32), soft], axis=1)
        return [*texts, *self.texts], order, targets

    def save(self, path: Path) -> None:
        """Writes everything as .npz, so that a cut-off student can go on."""
        with replacing(path) as beside, beside.open("wb") as file:
            np.savez_compressed(
                file,
                soft_labels=self.soft_labels,
                settings=[self.temperature, self.alpha],
                texts=json.dumps(self.texts),
                **({} if self.text_labels is None else {"text_labels": self.text_labels}),
            )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what `save` wrote."""
        with np.load(path) as found:
            temperature, alpha = found["settings"].tolist()
            texts = json.loads(str(found["texts"]))
            labels = found.get("text_labels")
            return cls(found["soft_labels"], temperature, alpha, texts, labels)


@keras.saving.register_keras_serializable(package="kerasclf")
class DistillationLoss(keras.losses.Loss):
    """A loss on labels mixed with the divergence from a teacher.

    For a teacher's probabilities q and a student's logits z at temperature T, with
    q_T = softmax(log(q) / T) and p_T = softmax(z / T):

        loss = alpha * T^2 * KL(q_T || p_T) + (1 - alpha) * hard_loss

    T^2 keeps the gradient's size as T grows (Hinton et al., Distilling the Knowledge in a Neural
    Network, 2015, https://arxiv.org/abs/1503.02531). Rows without a label (class id -1) have the
    first part only. Class weights are the hard loss's: teachers learned with theirs.
    """

    def __init__(
        self,
        hard_loss: keras.losses.Loss,
        temperature: float = 2.0,
        alpha: float = 0.5,
        name: str = "distillation_loss",
        **kwargs: Any,
    ):
        """Makes the loss.

        Args:
            hard_loss: loss of class ids and logits.
            temperature: positive.
            alpha: share of the teacher, 0 to 1.
            name: name in logs.
            **kwargs: `reduction` and `dtype` of `keras.losses.Loss`.

        Raises:
            ValueError: a value is out of range.
        """
        super().__init__(name=name, **kwargs)
        if temperature <= 0 or not 0 <= alpha <= 1:
            raise ValueError(
                f"temperature {temperature} and alpha {alpha}; expected over 0, and 0 to 1"
            )
        self.hard_loss, self.temperature, self.alpha = hard_loss, temperature, alpha

    def call(self, y_true, y_pred):
        """Loss of each row.

        Args:
            y_true: float [batch, 1 + classes]: class id or -1, then the teacher's probabilities.
            y_pred: float [batch, classes], logits.

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
        """The arguments that make this loss again."""
        return {
            **super().get_config(),
            "hard_loss": keras.saving.serialize_keras_object(self.hard_loss),
            "temperature": self.temperature,
            "alpha": self.alpha,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DistillationLoss":
        """Makes the loss of `get_config`'s result."""
        hard_loss = keras.saving.deserialize_keras_object(config["hard_loss"])
        return cls(**{**config, "hard_loss": hard_loss})
