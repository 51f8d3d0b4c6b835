"""`tf.data` pipelines from texts to batches of model inputs.

The stages of training, in this order:

1. order: a permutation of the rows in which every batch has the same class shares by construction.
   It is a function of (seed, epoch) alone, so a resumed run sees the batches it would have seen.
2. buckets by length (pretrained encoders): a batch holds texts of similar length.
3. batch, then featurize the whole batch in the graph, in parallel with the training step.
4. prefetch.

There is no shuffle buffer, since the order is a permutation of the whole split. Features of
training rows are not cached: computing them takes under 1 % of a training step, and storing them
would take a kilobyte per row. Augmented rows (`--augment`) are created before training
(`kerasclf.augmentation`), and are rows like any others here. Evaluation keeps the order of the
rows, drops none, and caches features, since it runs after every epoch.
"""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

WINDOW = 32
"""Number of batches whose rows are sorted by length together."""

SAMPLER_POWERS = {"natural": 1.0, "sqrt": 0.5, "balanced": 0.0}
"""The share of a class is proportional to count^power."""


def sampler_shares(counts: np.ndarray, sampler: str) -> np.ndarray:
    """Share of each class in every batch.

    >>> sampler_shares(np.array([900, 100]), "sqrt").tolist()
    [0.75, 0.25]

    Args:
        counts: int [num_classes], rows of each class.
        sampler: natural, sqrt or balanced.

    Returns:
        float64 [num_classes], sum 1.
    """
    weights = counts.astype(np.float64) ** SAMPLER_POWERS[sampler]
    return weights / weights.sum()


def epoch_order(class_ids: np.ndarray, sampler: str, seed: int, epoch: int) -> np.ndarray:
    """The order of rows in one epoch; any stretch of it has nearly the same class shares.

    The rows of a class are in random order and evenly spaced. With `natural` each row occurs once;
    otherwise a row of a rare class is repeated only after all rows of its class have occurred.

    Args:
        class_ids: int [n].
        sampler: natural, sqrt or balanced.
        seed: of the training.
        epoch: from 0.

    Returns:
        int64 [about n], row indices.
    """
    random = np.random.default_rng([seed, epoch])
    counts = np.bincount(class_ids)
    quotas = np.rint(sampler_shares(counts, sampler) * len(class_ids)).astype(int)
    rows, positions = [], []
    for class_id, (count, quota) in enumerate(zip(counts, quotas, strict=True)):
        if not count:
            continue
        members = np.flatnonzero(class_ids == class_id)
        passes = [random.permutation(members) for _ in range(-(-quota // count))]
        rows.append(np.concatenate(passes)[:quota])
        positions.append((np.arange(quota) + random.random(quota)) / quota)
    return np.concatenate(rows)[np.argsort(np.concatenate(positions), kind="stable")]


def bucket_by_length(
    order: np.ndarray, lengths: np.ndarray, batch_size: int, random: np.random.Generator
) -> np.ndarray:
    """Sorts rows by length within windows of `WINDOW` batches, and shuffles the full batches.

    Class shares then hold for each window, no longer for each batch.

    Args:
        order: int64 [m], row indices in the order of the epoch.
        lengths: int [n], length of each row.
        batch_size: rows per batch.
        random: generator that shuffles the batches of a window.

    Returns:
        int64 [m], the same row indices.
    """
    windows = []
    for start in range(0, len(order), WINDOW * batch_size):
        window = order[start : start + WINDOW * batch_size]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches = [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
        # A short batch stays last, so that cutting the result into batches keeps these batches.
        full = [batch for batch in batches if len(batch) == batch_size]
        rest = batches[len(full) :]
        windows += [full[i] for i in random.permutation(len(full))] + rest
    return np.concatenate(windows)


def steps_per_epoch(class_ids: np.ndarray, sampler: str, batch_size: int) -> int:
    """Number of batches in each epoch of `train_dataset`."""
    return -(-len(epoch_order(class_ids, sampler, 0, 0)) // batch_size)


def train_dataset(
    texts: list[str],
    class_ids: np.ndarray,
    targets: np.ndarray,
    featurizer: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    *,
    batch_size: int,
    sampler: str,
    seed: int,
    epochs: range,
    lengths: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Batches of the given epochs, one epoch after another.

    Args:
        texts: n strings.
        class_ids: int64 [n], which the order of rows depends on.
        targets: [n, ...], targets of the loss: the class ids, or soft labels besides.
        featurizer: maps a string tensor [batch] to model inputs.
        batch_size: rows per batch; the last batch of an epoch may be smaller.
        sampler: natural, sqrt or balanced.
        seed: of the order.
        epochs: numbers of the epochs.
        lengths: int [n], if a batch is to hold texts of similar length.
        weights: float32 [n], weights of the rows in the loss; None if all weigh the same.

    Returns:
        Dataset of (model inputs, targets [batch, ...]), and weights [batch] if there are any.
    """
    columns = (targets,) if weights is None else (targets, weights)

    def batches() -> Iterator[tuple[list[bytes], *tuple[np.ndarray, ...]]]:
        for epoch in epochs:
            random = np.random.default_rng([seed, epoch, 1])
            order = epoch_order(class_ids, sampler, seed, epoch)
            if lengths is not None:
                order = bucket_by_length(order, lengths, batch_size, random)
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                encoded = [texts[row].encode("utf-8") for row in rows]
                yield encoded, *(column[rows] for column in columns)

    specs = (tf.TensorSpec([None, *column.shape[1:]], column.dtype) for column in columns)
    signature = (tf.TensorSpec([None], tf.string), *specs)
    return (
        tf.data.Dataset.from_generator(batches, output_signature=signature)
        .map(lambda text, *rest: (featurizer(text), *rest), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_dataset(
    texts: list[str], featurizer: Callable[[tf.Tensor], dict[str, tf.Tensor]], batch_size: int
) -> tf.data.Dataset:
    """Batches of model inputs of all texts, in order and cached in memory.

    Args:
        texts: n strings.
        featurizer: maps a string tensor [batch] to model inputs.
        batch_size: texts per batch; the last batch may be smaller.
    """
    encoded = [text.encode("utf-8") for text in texts]
    return (
        tf.data.Dataset.from_tensor_slices(tf.constant(encoded, tf.string, [len(encoded)]))
        .batch(batch_size)
        .map(featurizer, num_parallel_calls=tf.data.AUTOTUNE)
        .cache()
        .prefetch(tf.data.AUTOTUNE)
    )
