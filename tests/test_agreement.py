"""20,000 random texts have the same labels in Keras, .tflite (float32), SavedModel and ONNX."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import GREETINGS, PLACES

from export.program.inputs import describe_input
from export.serving.graph import PREDICT, write_serving_model
from export.tensorrt import onnx_file
from kerasclf.classifier import KerasClassifier
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.run.layout import RunLayout

COUNT, BATCH = 20_000, 500
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz ABC 0123456789.,!?#@",
    "áéíóúßöä ÀÈÌ",
    "ꦏꦒꦔꦕꦗ你好مرحباПривет",
    "😀👩\u200d👧🇮🇩\ufeff\u200b\u0301\n\t\0",
]


def make_texts(seed):
    """Words of the table, cut and joined with characters of four alphabets."""
    generator = np.random.default_rng(seed)
    words = [word for texts in GREETINGS.values() for word in " ".join(texts).split()] + PLACES
    texts = []
    for _ in range(COUNT):
        pieces = list(generator.choice(words, generator.integers(0, 8)))
        alphabet = list(ALPHABETS[generator.integers(len(ALPHABETS))])
        pieces += ["".join(generator.choice(alphabet, generator.integers(0, 20)))]
        generator.shuffle(pieces)
        text = " ".join(pieces)
        texts.append(text[generator.integers(0, 4) : len(text) - generator.integers(0, 4)])
    return texts


def by_batch(predict, texts):
    return np.concatenate([predict(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)])


@pytest.mark.slow
def test_every_format_has_the_labels_of_keras(joined_run, tmp_path):
    classifier = KerasClassifier.load(joined_run)
    texts = make_texts(0)
    expected = classifier.predict_proba(texts)
    labels = classifier.predict(texts)["predicted_label"].map(classifier.labels.index).to_numpy()
    assert np.bincount(labels).min() > 500

    file_input = describe_input(classifier)
    lite = EdgeClassifier(RunLayout.open(joined_run).light)
    names = [lite.classify(text)["label"] for text in texts]
    np.testing.assert_array_equal([classifier.labels.index(name) for name in names], labels)
    np.testing.assert_allclose(lite.predict_proba(texts), expected, atol=1e-5)

    write_serving_model(classifier, 1, tmp_path / "served")
    signature = tf.saved_model.load(str(tmp_path / "served")).signatures[PREDICT]

    def serve(output, texts):
        return signature(text=tf.constant([text.encode() for text in texts]))[output].numpy()

    np.testing.assert_array_equal(by_batch(lambda t: serve("class_id", t), texts), labels)
    found = by_batch(lambda t: serve("probabilities", t), texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)

    path = tmp_path / "m.onnx"
    layout = RunLayout.open(joined_run)
    path.write_bytes(onnx_file.convert(classifier, file_input, layout).SerializeToString())
    onnx = onnx_file.OnnxFile(path, file_input)
    np.testing.assert_array_equal(by_batch(onnx.predict, texts), labels)
    np.testing.assert_allclose(by_batch(onnx.predict_proba, texts), expected, atol=1e-5)
