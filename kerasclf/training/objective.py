"""What a network is trained on and by which loss: from labels, or from labels and teachers."""

from dataclasses import dataclass

import keras
import numpy as np

from kerasclf.training.distillation import NO_LABEL, DistillationLoss, SoftLabels


@dataclass(frozen=True)
class Objective:
    """Rows to learn from, their targets, and the loss of both.

    Attributes:
        texts: n strings.
        class_ids: int64 [n], class ids by which the sampler orders the rows; of texts without a
            label, the class that the teachers find most probable.
        targets: targets of `loss`: int64 [n], or float32 [n, 1 + num_classes].
        loss: loss of the targets and logits.
        weights: float32 [n], weights of the rows in the loss; None if all weigh the same.
    """

    texts: list[str]
    class_ids: np.ndarray
    targets: np.ndarray
    loss: keras.losses.Loss
    weights: np.ndarray | None = None


def make_objective(
    texts: list[str],
    class_ids: np.ndarray,
    loss: keras.losses.Loss,
    soft_labels: SoftLabels | None = None,
    weights: np.ndarray | None = None,
) -> Objective:
    """Combines training rows with the probabilities of teachers, if there are any.

    Args:
        texts: n training texts.
        class_ids: int64 [n], their class ids.
        loss: loss of class ids and logits.
        soft_labels: probabilities for these n rows and, optionally, for a transfer set.
        weights: float32 [n], weights of these rows; texts of a transfer set have the weight 1.
    """
    if soft_labels is None:
        return Objective(texts, class_ids, class_ids, loss, weights)
    transfer = soft_labels.transfer_probabilities
    if transfer is None:
        transfer = np.zeros((0, soft_labels.probabilities.shape[1]), dtype=np.float32)
    probabilities = np.concatenate([soft_labels.probabilities, transfer]).astype(np.float32)
    hard = np.concatenate([class_ids, np.full(len(transfer), NO_LABEL)]).astype(np.float32)
    return Objective(
        texts=[*texts, *soft_labels.transfer_texts],
        class_ids=np.concatenate([class_ids, transfer.argmax(axis=1)]).astype(np.int64),
        targets=np.concatenate([hard[:, None], probabilities], axis=1),
        loss=DistillationLoss(loss, soft_labels.temperature, soft_labels.alpha),
        weights=None if weights is None else np.append(weights, np.ones_like(transfer[:, 0])),
    )
