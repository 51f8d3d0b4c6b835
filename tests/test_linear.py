import itertools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from kerasclf.classifier import KerasClassifier
from kerasclf.config import TrainConfig
from kerasclf.errors import UserError
from kerasclf.job.parts import combine
from kerasclf.linear import fit
from kerasclf.linear.featurizer import NgramFeaturizer
from kerasclf.linear.fit import fit_linear
from kerasclf.linear.layer import build_linear_core
from kerasclf.linear.model import LinearModel
from kerasclf.linear.ngrams import CODES, MODULUS, PAIR, PAIR_OFFSET, hash_ngrams
from kerasclf.linear.vocabulary import NgramVocabulary
from kerasclf.models.build import build_model
from kerasclf.models.joined import Part, find_part, join
from kerasclf.models.load import load_model

TEXTS = [
    "Selamat pagi, PAGI!",
    "",
    " ",
    "a\0b",
    "\0\0",
    "😀 كيف 日本",
    "x" * 600,
    "(kamu) kamu\tbodoh\r\nsekali...",
    "kata " * 60,
]


def ngrams(text, max_bytes=256):
    """The n-grams of a text as byte strings, found in another way than `hash_ngrams` does."""
    raw = text.encode("utf-8", "replace")[:max_bytes].lower()
    room = len(raw) < max_bytes
    raw = re.sub(rb"[\0\t\n\v\f\r]", b" ", raw)
    padded = b" " * 5 + raw + b" " * room
    characters = [
        padded[end - n : end]
        for end in range(6, len(padded) + 1)
        for n in range(1, 6)
        if b" " not in padded[end - n : end][1:-1] and padded[end - n : end].strip()
    ]
    words = re.findall(rb"[a-z0-9\x80-\xff]+", raw)
    return characters, words, list(itertools.pairwise(words))


def id_of_characters(gram):
    return sum(int(CODES[byte, k]) for k, byte in enumerate(reversed(gram)))


def id_of_word(word):
    windows = (word[max(0, end - 5) : end] for end in range(1, len(word) + 1))
    return sum(id_of_characters(window) % MODULUS for window in windows)


@pytest.mark.parametrize("max_bytes", [8, 256])
def test_ids_by_hand(max_bytes):
    found = hash_ngrams(TEXTS, max_bytes)
    for row, text in enumerate(TEXTS):
        characters, words, pairs = ngrams(text, max_bytes)
        of_pairs = [
            PAIR_OFFSET + PAIR * (id_of_word(second) % MODULUS) + id_of_word(first) % MODULUS
            for first, second in pairs
        ]
        expected = {
            "characters": [id_of_characters(gram) for gram in characters],
            "words": [np.int32(np.uint32(id_of_word(word) % 2**32)) for word in words] + of_pairs,
        }
        assert {kind: sorted(ids[rows == row]) for kind, (rows, ids) in found.items()} == {
            kind: sorted(ids) for kind, ids in expected.items()
        }, text


def test_words_do_not_depend_on_what_is_around_them():
    texts = ("(Goblok!", "x goblok", "goblok")
    found = [set(hash_ngrams([text], 64)["words"][1]) for text in texts]
    assert id_of_word(b"goblok") in found[0] & found[1] & found[2]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 50, 3000])
def test_a_vocabulary_has_a_slot_for_each_id_and_knows_no_other(size):
    random = np.random.default_rng(size)
    ids = np.unique(random.integers(0, 2**31 - 1, 2 * size + 10).astype(np.int32))
    ids = random.permutation(ids)
    vocabulary = NgramVocabulary.build(ids[:size])
    slots = vocabulary.find(ids[:size])
    assert len(np.unique(slots)) == size
    assert (slots > 0).all()
    assert not vocabulary.find(ids[size:]).any()
    assert vocabulary.size <= size / 0.95 + 1


def test_a_vocabulary_has_room_for_ids_that_are_close_to_each_other():
    random = np.random.default_rng(0)
    few, many = random.integers(0, 2**31 - 1, 4000), random.integers(0, 2**22, 4000)
    ids = np.unique([*few, *many]).astype(np.int32)
    vocabulary = NgramVocabulary.build(ids)
    assert len(np.unique(vocabulary.find(ids))) == len(ids)
    assert len(vocabulary.displacements) <= len(ids) / 3 + 50


def sentences(count=300, seed=0):
    """Texts of two classes that share most words."""
    random = np.random.default_rng(seed)
    shared = ["saya", "kamu", "dan", "PAGI", "rumah,", "sekali", "😀", "(baru)"]
    own = [["senang", "indah", "bagus sekali"], ["goblok", "jelek", "bodoh kamu"], ["kapan", "apa"]]
    class_ids = random.integers(0, 3, count)
    texts = [
        " ".join([*random.choice(shared, random.integers(1, 6)), random.choice(own[class_id])])
        for class_id in class_ids
    ]
    return texts, class_ids


@pytest.fixture(scope="module")
def model():
    texts, class_ids = sentences()
    return fit_linear(texts, class_ids, 3, max_bytes=64, terms=200, inverse_penalty=3.0, seed=0)


@pytest.fixture(scope="module")
def linear(model):
    featurizer = NgramFeaturizer(model.max_bytes, model.vocabulary)
    return KerasClassifier(featurizer, build_linear_core(model), ("a", "b", "c"))


@pytest.mark.parametrize("num_classes", [2, 3])
def test_logits_are_those_of_scikit_learn_on_n_grams_as_strings(num_classes):
    texts, class_ids = sentences()
    class_ids %= num_classes
    model = fit_linear(
        texts, class_ids, num_classes, max_bytes=64, terms=10**6, inverse_penalty=3.0, seed=0
    )
    features = TfidfOfStrings(texts)
    estimator = LogisticRegression(C=3.0, class_weight="balanced", max_iter=1000)
    estimator.fit(features.transform(texts), class_ids)
    new = [*sentences(200, seed=1)[0], *TEXTS]
    expected = estimator.predict_proba(features.transform(new))
    found = np.exp(log_softmax(model.logits(new), axis=1))
    # The order of the columns differs, and with it the path of the solver.
    np.testing.assert_allclose(found, expected, atol=2e-3)


class TfidfOfStrings:
    """TF-IDF of n-grams that are no hashes; characters, and words with pairs, have a norm each."""

    def __init__(self, texts):
        self.kinds = [
            CountVectorizer(analyzer=lambda text: ngrams(text, 64)[0], min_df=2),
            CountVectorizer(
                analyzer=lambda text: [
                    repr(gram) for kind in ngrams(text, 64)[1:] for gram in kind
                ],
                min_df=2,
            ),
        ]
        self.idf = []
        for kind in self.kinds:
            in_rows = np.asarray((kind.fit_transform(texts) > 0).sum(axis=0)).ravel()
            self.idf.append(np.log((1 + len(texts)) / (1 + in_rows)) + 1)

    def transform(self, texts):
        found = []
        for kind, idf in zip(self.kinds, self.idf, strict=True):
            counts = kind.transform(texts).toarray()
            norm = np.sqrt(np.maximum((counts * idf**2).sum(axis=1, keepdims=True), 1))
            found.append(counts * idf / norm)
        return np.hstack(found)


def test_the_graph_computes_what_numpy_computes(model, linear):
    random = np.random.default_rng(0)
    noise = [bytes(random.integers(0, 256, 70, np.uint8)).decode("utf-8", "replace") for _ in "abc"]
    texts = [*TEXTS, *noise, *sentences(50, seed=2)[0]]
    np.testing.assert_allclose(linear.logits(texts), model.logits(texts), atol=1e-5)


def test_saved_and_loaded(model, linear, tmp_path):
    model.save(tmp_path / "model.npz")
    again = LinearModel.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.logits(TEXTS), model.logits(TEXTS))
    linear.core.save(tmp_path / "model.keras")
    linear.featurizer.save(tmp_path / "featurizer")
    loaded = KerasClassifier(
        *load_model(tmp_path / "model.keras", tmp_path / "featurizer"), linear.labels
    )
    np.testing.assert_array_equal(loaded.logits(TEXTS), linear.logits(TEXTS))


def test_the_weightiest_n_grams_are_kept(model):
    assert (model.vocabulary.keys >= 0).sum() == 200
    ids = [id_of_word(word) for word in (b"goblok", b"senang", b"kapan")]
    assert (model.vocabulary.find(np.array(ids)) > 0).all()


def test_a_sample_of_large_data_has_every_class(monkeypatch):
    monkeypatch.setattr(fit, "MOST_BYTES", 400)
    texts, class_ids = sentences()
    class_ids[:] = 0
    class_ids[7], class_ids[8] = 1, 2
    model = fit_linear(texts, class_ids, 3, max_bytes=64, terms=50, inverse_penalty=3.0, seed=0)
    assert model.logits(["saya"]).shape == (1, 3)


def test_weights_of_rows_decide_between_labels():
    texts = [f"saya makan {fruit}" for fruit in ("apel", "jeruk", "pisang")] * 20
    class_ids = np.arange(60) // 30
    options = {"max_bytes": 64, "terms": 10**4, "inverse_penalty": 3.0, "seed": 0}
    for favoured in (0, 1):
        weights = np.where(class_ids == favoured, 1.0, 0.1).astype(np.float32)
        weights[:2] = weights[-2:] = 1.0
        balanced = LogisticRegression(C=3.0, class_weight="balanced", max_iter=1000)
        model = fit_linear(texts, class_ids, 2, **options, weights=weights)
        everything = fit_linear(texts, class_ids, 2, **options, weights=np.ones(60))
        plain = fit_linear(texts, class_ids, 2, **options)
        np.testing.assert_array_equal(everything.weights, plain.weights)
        assert np.abs(model.weights - plain.weights).max() > 1e-3
        features = TfidfOfStrings(texts).transform(texts)
        balanced.fit(features, class_ids, weights)
        expected = balanced.decision_function(features)
        found = model.logits(texts)
        np.testing.assert_allclose(found[:, 1] - found[:, 0], expected, atol=1e-3)


def network_of(texts, class_ids, noise):
    """A stand-in for a trained network: a lookup of logits that are right up to noise."""
    random = np.random.default_rng(5)
    logits = 3 * np.eye(3)[class_ids] + noise * random.standard_normal((len(texts), 3))
    return logits.astype(np.float32)


class Known(KerasClassifier):
    """A classifier of known logits for known texts."""

    def __init__(self, texts, logits):
        core = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3)])
        super().__init__(NgramFeaturizer(8, NgramVocabulary.build(np.zeros(0))), core, "abc")
        self.known = dict(zip(texts, logits, strict=True))

    def logits(self, texts):
        return np.stack([self.known[text] for text in texts])


def test_a_part_that_adds_nothing_is_left_out(model):
    texts = [f"{number} {text}" for number, text in enumerate(sentences(400, seed=3)[0])]
    class_ids = np.arange(400) % 3
    # The labels are random for the linear part, and known to the network.
    network = Known(texts, network_of(texts, class_ids, noise=1.0))
    classifier, parts = combine(network, model, ("a", "b", "c"), texts, class_ids, 0)
    assert classifier is network
    assert parts["weights"] == {"network": 1.0, "linear": 0.0}
    # The other way round.
    texts, class_ids = sentences(400, seed=4)
    texts = [f"{number} {text}" for number, text in enumerate(texts)]
    network = Known(texts, np.random.default_rng(0).standard_normal((400, 3)))
    classifier, parts = combine(network, model, ("a", "b", "c"), texts, class_ids, 0)
    assert parts["weights"] == {"network": 0.0, "linear": 1.0}
    assert isinstance(classifier.featurizer, NgramFeaturizer)


def test_a_joined_model_votes(model, linear, tmp_path):
    config = TrainConfig(max_bytes=64, buckets=512, embedding_dim=8, filters=8).resolved()
    keras.utils.set_random_seed(0)
    network = KerasClassifier(*build_model(config, 3), linear.labels)
    parts = {
        "network": Part(network.featurizer, network.core, 2.0, 0.25),
        "linear": Part(linear.featurizer, linear.core, 0.5, 0.75),
    }
    featurizer, core = join(parts)
    joined = KerasClassifier(featurizer, core, linear.labels)
    expected = np.log(
        0.25 * np.exp(log_softmax(network.logits(TEXTS) / 2.0, axis=1))
        + 0.75 * np.exp(log_softmax(linear.logits(TEXTS) / 0.5, axis=1))
    )
    np.testing.assert_allclose(joined.logits(TEXTS), expected, atol=1e-5)
    core.save(tmp_path / "model.keras")
    featurizer.save(tmp_path / "featurizer")
    loaded = load_model(tmp_path / "model.keras", tmp_path / "featurizer")
    again = KerasClassifier(*loaded, linear.labels)
    np.testing.assert_array_equal(again.logits(TEXTS), joined.logits(TEXTS))
    part = KerasClassifier(*find_part(*loaded, "network"), linear.labels)
    np.testing.assert_array_equal(part.logits(TEXTS), network.logits(TEXTS))
    part = KerasClassifier(*find_part(*loaded, "linear"), linear.labels)
    np.testing.assert_array_equal(part.logits(TEXTS), linear.logits(TEXTS))
    inputs = featurizer.read(tf.constant(TEXTS))
    assert {name: value.shape[1] for name, value in inputs.items()} == featurizer.inputs


def test_options_of_a_network_need_one():
    with pytest.raises(UserError, match="--epochs trains a network"):
        TrainConfig(encoder="linear", epochs=3).check()
    TrainConfig(encoder="linear").resolved().check()
