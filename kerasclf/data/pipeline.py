"""tf.data pipelines: the order of rows, and the road from a row to a batch of model inputs.

Training, in this order:

1. order: class shares are the same in every batch, by construction and not by luck; new in each
   epoch, and a function of (seed, epoch) alone, so that a resumed run sees what it would have seen.
2. buckets of length (pretrained encoders): rows of about equal length meet in a batch.
3. batch, then featurize a whole batch at once, in the graph and beside the training step.
4. prefetch.

New rows of `--augment` are rows like others here: they were made before (`kerasclf.augmentation`).
There is no shuffle buffer: the order covers the full split. Features of training rows are not
cached: making them costs under a hundredth of a step, holding them would take a kilobyte a row.
Evaluation reads rows in their order, drops none, and caches, since it runs after every epoch.
"""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

WINDOW = 32
"""Batches whose rows are sorted by length together."""

SAMPLER_POWERS = {"natural": 1.0, "sqrt": 0.5, "balanced": 0.0}
"""Class shares are proportional to count^power."""


def sampler_shares(counts: np.ndarray, sampler: str) -> np.ndarray:
    """Share of each class in every batch: float64 [classes], sum 1."""
    weights = counts.astype(np.float64) ** SAMPLER_POWERS[sampler]
    return weights / weights.sum()


def epoch_order(classes: np.ndarray, sampler: str, seed: int, epoch: int) -> np.ndarray:
    """The order of rows in one epoch, every run of which has nearly the same class shares.

    The rows of a class stand in random order and at equal distances. With `natural` each row comes
    once; with the others, rows of rare classes come again only after all of their class have come.

    Args:
        classes: int [n], class ids.
        sampler: natural, sqrt or balanced.
        seed: of the whole training.
        epoch: from 0.

    Returns:
        int64 [about n], places in `classes`.
    """
    random = np.random.default_rng([seed, epoch])
    counts = np.bincount(classes)
    quotas = np.rint(sampler_shares(counts, sampler) * len(classes)).astype(int)
    rows, places = [], []
    for class_id, (count, quota) in enumerate(zip(counts, quotas, strict=True)):
        if not count:
            continue
        members = np.flatnonzero(classes == class_id)
        passes = [random.permutation(members) for _ in range(-(-quota // count))]
        rows.append(np.concatenate(passes)[:quota])
        places.append((np.arange(quota) + random.random(quota)) / quota)
    return np.concatenate(rows)[np.argsort(np.concatenate(places), kind="stable")]


def bucket_by_length(
    order: np.ndarray, lengths: np.ndarray, batch_size: int, random: np.random.Generator
) -> np.ndarray:
    """Sorts rows by length within windows of batches, and shuffles the batches of a window.

    Class shares then hold in a window, no longer in each batch.

    Args:
        order: int64 [m], rows in the order of the epoch.
        lengths: int [n], length of each row.
        batch_size: rows in a batch.
        random: generator of the order of batches.

    Returns:
        int64 [m], the same rows.
    """
    windows = []
    for start in range(0, len(order), WINDOW * batch_size):
        window = order[start : start + WINDOW * batch_size]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches = [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
        # A short batch stays last, so that the batches of the whole order keep their bounds.
        full = [batch for batch in batches if len(batch) == batch_size]
        rest = batches[len(full) :]
        windows += [full[i] for i in random.permutation(len(full))] + rest
    return np.concatenate(windows)


def steps_per_epoch(classes: np.ndarray, sampler: str, batch_size: int) -> int:
    """Number of batches in every epoch of `train_dataset`."""
    return -(-len(epoch_order(classes, sampler, 0, 0)) // batch_size)


def train_dataset(
    texts: list[str],
    classes: np.ndarray,
    targets: np.ndarray,
    featurizer: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    *,
    batch_size: int,
    sampler: str,
    seed: int,
    epochs: range,
    bucket: bool = False,
) -> tf.data.Dataset:
    """Batches of the given epochs, one after the other.

    Args:
        texts: n strings.
        classes: int64 [n], class ids, by which rows are ordered.
        targets: [n, ...], what the loss takes; the class ids, or more.
        featurizer: string tensor [batch] to model inputs.
        batch_size: rows in a batch; the last of an epoch may be smaller.
        sampler: natural, sqrt or balanced.
        seed: of the order.
        epochs: which epochs to make.
        bucket: whether rows of about equal length meet in a batch.

    Returns:
        Dataset of (model inputs, targets [batch, ...]).
    """
    lengths = np.array([len(text) for text in texts])

    def batches() -> Iterator[tuple[list[bytes], np.ndarray]]:
        for epoch in epochs:
            random = np.random.default_rng([seed, epoch, 1])
            order = epoch_order(classes, sampler, seed, epoch)
            if bucket:
                order = bucket_by_length(order, lengths, batch_size, random)
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                yield [texts[row].encode("utf-8") for row in rows], targets[rows]

    target = tf.TensorSpec([None, *targets.shape[1:]], targets.dtype)
    signature = (tf.TensorSpec([None], tf.string), target)
    return (
        tf.data.Dataset.from_generator(batches, output_signature=signature)
        .map(lambda text, wanted: (featurizer(text), wanted), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_dataset(
    texts: list[str], featurizer: Callable[[tf.Tensor], dict[str, tf.Tensor]], batch_size: int
) -> tf.data.Dataset:
    """Batches of model inputs of all rows in their order, cached in memory."""
    encoded = [text.encode("utf-8") for text in texts]
    return (
        tf.data.Dataset.from_tensor_slices(tf.constant(encoded, tf.string, [len(encoded)]))
        .batch(batch_size)
        .map(featurizer, num_parallel_calls=tf.data.AUTOTUNE)
        .cache()
        .prefetch(tf.data.AUTOTUNE)
    )
