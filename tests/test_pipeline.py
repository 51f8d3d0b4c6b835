import numpy as np
import pytest
import tensorflow as tf

from kerasclf.data.pipeline import (
    bucket_by_length,
    epoch_order,
    evaluation_dataset,
    sampler_shares,
    steps_per_epoch,
    train_dataset,
)

CLASS_IDS = np.repeat([0, 1, 2], [400, 80, 20])


def identity(texts):
    return {"text": texts}


def test_shares_by_hand():
    counts = np.array([900, 100])
    assert sampler_shares(counts, "natural").tolist() == [0.9, 0.1]
    assert sampler_shares(counts, "sqrt").tolist() == [0.75, 0.25]
    assert sampler_shares(counts, "balanced").tolist() == [0.5, 0.5]


def test_natural_order_has_each_row_once():
    order = epoch_order(CLASS_IDS, "natural", 0, 0)
    assert sorted(order) == list(range(500))


@pytest.mark.parametrize("sampler", ["natural", "sqrt", "balanced"])
def test_every_batch_has_the_same_shares(sampler):
    order = epoch_order(CLASS_IDS, sampler, 0, 3)
    shares = sampler_shares(np.bincount(CLASS_IDS), sampler)
    for start in range(0, len(order) - 50, 50):
        counts = np.bincount(CLASS_IDS[order[start : start + 50]], minlength=3)
        assert np.abs(counts - 50 * shares).max() <= 2


def test_rare_rows_repeat_only_after_all_of_their_class():
    order = epoch_order(CLASS_IDS, "balanced", 0, 0)
    times = np.bincount(order, minlength=500)[480:]
    assert times.max() - times.min() <= 1
    assert times.min() >= 8


def test_order_depends_on_seed_and_epoch_alone():
    first = epoch_order(CLASS_IDS, "natural", 1, 2)
    assert (first == epoch_order(CLASS_IDS, "natural", 1, 2)).all()
    assert (first != epoch_order(CLASS_IDS, "natural", 1, 3)).any()
    assert (first != epoch_order(CLASS_IDS, "natural", 2, 2)).any()


def test_buckets_have_the_same_rows_and_less_padding():
    random = np.random.default_rng(0)
    lengths = random.integers(1, 100, 500)
    order = random.permutation(500)
    bucketed = bucket_by_length(order, lengths, 16, random)
    assert sorted(bucketed) == list(range(500))

    def padding(rows):
        batches = [lengths[rows[i : i + 16]] for i in range(0, 500, 16)]
        return sum(batch.max() * len(batch) - batch.sum() for batch in batches)

    assert padding(bucketed) < padding(order) / 4


def collect(epochs, **keywords):
    texts = [f"text {i}" for i in range(500)]
    options = {"batch_size": 64, "sampler": "natural", "seed": 7}
    dataset = train_dataset(
        texts, CLASS_IDS, CLASS_IDS, identity, epochs=epochs, **(options | keywords)
    )
    return [(inputs["text"].numpy().tolist(), ids.numpy().tolist()) for inputs, ids in dataset]


def test_later_epochs_are_the_same_after_a_restart():
    steps = steps_per_epoch(CLASS_IDS, "natural", 64)
    whole, rest = collect(range(0, 3)), collect(range(1, 3))
    assert len(whole) == 3 * steps
    assert whole[steps:] == rest


@pytest.mark.parametrize("lengths", [None, np.arange(500) % 7])
def test_no_row_is_dropped_and_class_ids_stay_with_texts(lengths):
    batches = collect(range(1), lengths=lengths)
    pairs = {}
    for texts, class_ids in batches:
        pairs |= dict(zip(texts, class_ids, strict=True))
    assert pairs == {f"text {i}".encode(): int(CLASS_IDS[i]) for i in range(500)}


def test_weights_stay_with_texts():
    texts = [f"text {i}" for i in range(500)]
    weights = np.linspace(0, 1, 500).astype(np.float32)
    dataset = train_dataset(
        *(texts, CLASS_IDS, CLASS_IDS, identity),
        **{"batch_size": 64, "sampler": "sqrt", "seed": 7, "epochs": range(1), "weights": weights},
    )
    for inputs, class_ids, of_batch in dataset:
        rows = [int(text.split()[1]) for text in inputs["text"].numpy()]
        np.testing.assert_array_equal(class_ids.numpy(), CLASS_IDS[rows])
        np.testing.assert_array_equal(of_batch.numpy(), weights[rows])


def test_evaluation_keeps_order_and_the_last_rows():
    texts = [f"{i}" for i in range(37)]
    dataset = evaluation_dataset(texts, identity, 16)
    batched = tf.concat([batch["text"] for batch in dataset], axis=0).numpy().tolist()
    assert batched == [text.encode() for text in texts]
