import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasclf.config import TrainConfig
from kerasclf.models.build import build_core
from kerasclf.models.bytes_featurizer import BytesFeaturizer
from kerasclf.models.load import load_featurizer

TEXTS = [
    "Selamat pagi",
    "",
    " ",
    "a\0b",
    "\0",
    "😀 كيف 日本",
    "x" * 5000,
    "\ud800".encode("utf-8", "replace"),
]


@pytest.fixture(scope="module")
def featurizer():
    return BytesFeaturizer(max_bytes=64, buckets=1024)


@pytest.fixture(scope="module")
def core():
    keras.utils.set_random_seed(0)
    return build_core(TrainConfig(buckets=1024, embedding_dim=8, filters=8, dropout=0.5), 4)


def as_numpy(features):
    return {name: value.numpy() for name, value in features.items()}


def test_hashes_by_hand():
    """Polynomial over the bytes backwards from the position, in Python's own integers."""
    featurizer = BytesFeaturizer(max_bytes=8, buckets=1000)
    found = as_numpy(featurizer(tf.constant(["Ab\0z"])))
    data = b"ab\0z\0"
    for place in range(5):
        hashed = 0
        for order in range(1, 6):
            byte = data[place - order + 1] if place - order + 1 >= 0 else 0
            hashed = (hashed * 257 + byte + 7919 * order) % (2**22 - 3)
            assert found["ngrams"][0, place, order - 1] == hashed % 999 + 1
    assert found["mask"][0].tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
    assert (found["ngrams"][0, 5:] == 0).all()


def test_same_eagerly_in_map_and_after_reload(featurizer, tmp_path):
    eager = as_numpy(featurizer(tf.constant(TEXTS)))
    dataset = tf.data.Dataset.from_tensor_slices(tf.constant(TEXTS)).batch(len(TEXTS))
    mapped = as_numpy(next(iter(dataset.map(featurizer))))
    featurizer.save(tmp_path / "featurizer")
    again = as_numpy(load_featurizer(tmp_path / "featurizer")(tf.constant(TEXTS)))
    for name, value in eager.items():
        np.testing.assert_array_equal(value, mapped[name])
        np.testing.assert_array_equal(value, again[name])


@pytest.mark.parametrize(
    ("longest", "length"), [(0, 16), (15, 16), (16, 32), (63, 64), (64, 64), (500, 64)]
)
def test_a_batch_is_as_long_as_its_longest_text(featurizer, core, longest, length):
    texts = tf.constant(["ab", "c" * longest])
    features = featurizer(texts)
    assert features["ngrams"].shape == (2, length, 5)
    # A file takes the whole width.
    whole = featurizer.featurize(featurizer.read(texts))
    assert whole["ngrams"].shape == (2, 64, 5)
    np.testing.assert_allclose(core(features), core(whole), atol=1e-6)


def test_ids_stay_in_the_table_at_any_size():
    random = np.random.default_rng(0)
    texts = tf.constant([random.integers(1, 256, 64, np.uint8).tobytes() for _ in range(50)])
    for buckets in (64, 32768, 2**22 - 1):
        ids = BytesFeaturizer(64, buckets)(texts)["ngrams"].numpy()
        assert ids.min() >= 1
        assert ids.max() < buckets


def test_case_is_folded_in_ascii_only(featurizer):
    upper, lower, accented = (
        featurizer(tf.constant([text]))["ngrams"].numpy() for text in ("ABC É", "abc É", "abc é")
    )
    assert (upper == lower).all()
    assert (lower != accented).any()


def test_prediction_does_not_depend_on_padding(core, featurizer):
    short = [text for text in TEXTS if len(text) < 16]
    longer = BytesFeaturizer(max_bytes=256, buckets=1024)
    np.testing.assert_allclose(
        core(featurizer(tf.constant(short))), core(longer(tf.constant(short))), atol=1e-6
    )


def test_empty_and_blank_texts_have_finite_logits(core, featurizer):
    assert np.isfinite(core(featurizer(tf.constant(TEXTS))).numpy()).all()


def test_core_is_made_of_standard_layers_that_tf_keras_has(core):
    import tf_keras

    for layer in core.layers:
        assert hasattr(tf_keras.layers, type(layer).__name__), layer


def test_core_saves_and_loads(core, featurizer, tmp_path):
    core.save(tmp_path / "core.keras")
    again = keras.saving.load_model(tmp_path / "core.keras")
    features = featurizer(tf.constant(TEXTS))
    np.testing.assert_array_equal(core(features), again(features))
