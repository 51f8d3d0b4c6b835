"""A .tflite of a pretrained encoder: token ids in, decision out."""

import json
import zipfile

import keras
import keras_hub
import numpy as np
import pandas as pd
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import GREETINGS, PLACES

from export import benchmark, edge, tflite
from export.litert.convert import append_metadata, convert
from export.litert.gate import check_ops
from export.litert.recipes import RECIPES
from export.program.golden import GOLDEN_TEXTS, check_golden
from export.program.inputs import describe_input
from kerasclf.classifier import KerasClassifier
from kerasclf.edge_runtime import EdgeClassifier, read_metadata
from kerasclf.models.bytes_featurizer import BytesFeaturizer
from kerasclf.models.joined import JoinedFeaturizer
from kerasclf.train import main as train

# KerasHub leaves the vocabulary's file to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

MAX_TOKENS = 16
INPUTS = ["padding_mask", "segment_ids", "token_ids"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A BERT of two small layers with random weights, as a folder in the KerasHub layout."""
    folder = tmp_path_factory.mktemp("encoder")
    texts = [text for texts in GREETINGS.values() for text in texts] + PLACES
    words = sorted({word for text in texts for word in text.lower().split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    keras_hub.models.BertTokenizer(vocabulary, lowercase=True).save_to_preset(str(folder))
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=2,
        num_heads=2,
        hidden_dim=32,
        intermediate_dim=64,
        max_sequence_length=MAX_TOKENS,
    )
    backbone.save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="module")
def token_run(encoder, table, tmp_path_factory):
    """A finished run that trained in mixed precision."""
    output = tmp_path_factory.mktemp("runs")
    options = ["--linear=none", "--epochs=8", "--learning-rate=0.005", "--batch-size=16"]
    options += ["--mixed-precision", f"--max-tokens={MAX_TOKENS}", f"--output={output}"]
    assert train([f"--data={table}", f"--encoder={encoder}", *options]) == 0
    return output / "greetings" / "1"


@pytest.fixture(scope="module")
def classifier(token_run):
    return KerasClassifier.load(token_run)


@pytest.fixture(scope="module")
def file(token_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("tflite") / "model.tflite"
    assert tflite.main([str(token_run), f"--output={path}", "--recipe=float32"]) == 0
    return path


def test_metadata_describe_the_tokenizer(file, token_run):
    metadata = read_metadata(file.read_bytes())
    assert (metadata["input"], metadata["max_tokens"]) == ("tokens", MAX_TOKENS)
    assert metadata["tokenizer"] == "BertTokenizer"
    vocabulary = token_run / "featurizer" / "assets" / "tokenizer" / "vocabulary.txt"
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["metadata.json", "tokenizer/vocabulary.txt"]
        assert archive.read("tokenizer/vocabulary.txt") == vocabulary.read_bytes()
    inputs = Interpreter(str(file)).get_signature_runner().get_input_details()
    assert sorted(inputs) == INPUTS
    for details in inputs.values():
        assert (details["shape"].tolist(), details["dtype"]) == ([1, MAX_TOKENS], np.int32)


def test_file_agrees_with_keras(file, classifier):
    loaded = EdgeClassifier(file, read=describe_input(classifier).read)
    texts = [*GOLDEN_TEXTS, "guten Morgen", "thank you Leeds", "saya makan nasi Solo"]
    # Trained in half precision, exported in float32 arithmetic.
    probabilities = loaded.predict_proba(texts)
    np.testing.assert_allclose(probabilities, classifier.predict_proba(texts), atol=1e-5)
    labels = [loaded.classify(text)["label"] for text in texts]
    assert labels == classifier.predict(texts)["predicted_label"].tolist()
    assert labels[-3:] == ["de", "en", "id"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_agrees_with_keras(recipe, classifier, table, tmp_path):
    # The run's own temperature, fitted on ten rows without an error, is near 0 and magnifies any
    # difference.
    plain = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels)
    file_input = describe_input(plain)
    texts = [*pd.read_csv(table)["text"], *GOLDEN_TEXTS]
    model = convert(plain, file_input, RECIPES[recipe], texts)
    check_ops(model)
    path = tmp_path / "m.tflite"
    path.write_bytes(append_metadata(model, {"labels": plain.labels, **file_input.metadata}))
    loaded = EdgeClassifier(path, read=file_input.read)
    check_golden(loaded.predict_proba, plain, RECIPES[recipe].tolerance)


def test_tokens_are_those_of_training_padded_to_the_end(classifier):
    inputs = describe_input(classifier).read("guten Morgen")
    assert sorted(inputs) == INPUTS
    tokenizer = classifier.featurizer.preprocessor.tokenizer
    start, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    words = [tokenizer.token_to_id(word) for word in ("guten", "morgen")]
    ids = [start, *words, end, *[tokenizer.pad_token_id] * (MAX_TOKENS - 4)]
    assert inputs["token_ids"].tolist() == [ids]
    assert inputs["padding_mask"].tolist() == [[1] * 4 + [0] * (MAX_TOKENS - 4)]
    assert inputs["token_ids"].dtype == inputs["padding_mask"].dtype == np.int32


def test_predictions_do_not_depend_on_the_other_texts(classifier, monkeypatch):
    texts = [" ".join(PLACES[:n]) for n in (9, 1, 0, 4, 30, 2, 9)]
    monkeypatch.setattr("kerasclf.classifier.BATCH_SIZE", 2)
    together = classifier.logits(texts)
    alone = np.concatenate([classifier.logits([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_parts_that_read_bytes_do_not_change_the_lengths(classifier):
    tokens = classifier.featurizer
    texts = [text.encode() for text in ["", "Berlin", "guten Morgen Berlin"]]
    with_bytes = JoinedFeaturizer({"bytes": BytesFeaturizer(), "tokens": tokens})
    assert with_bytes.lengths(texts).tolist() == tokens.lengths(texts).tolist()
    twice = JoinedFeaturizer({"one": tokens, "two": tokens})
    assert twice.lengths(texts).tolist() == (2 * tokens.lengths(texts)).tolist()
    assert JoinedFeaturizer({"bytes": BytesFeaturizer()}).lengths(texts) is None


def test_file_without_a_tokenizer_says_so(file):
    loaded = EdgeClassifier(file)
    with pytest.raises(ValueError, match="takes token ids"):
        loaded.run("guten Morgen")
    assert loaded.run_ones()["probabilities"].sum() == pytest.approx(1, abs=1e-5)


def test_benchmark_measures_a_token_file(file, table, tmp_path, capsys):
    assert benchmark.main([str(file), f"--output={tmp_path}/b.json"]) == 0
    (measured,) = json.loads((tmp_path / "b.json").read_text())["measured"]
    assert 0 < measured["p50_ms"] <= measured["p99_ms"]
    assert measured["bytes"] == file.stat().st_size
    capsys.readouterr()
    assert benchmark.main([str(file), f"--data={table}"]) == 2
    captured = capsys.readouterr()
    assert "it takes token ids, not the texts of --data" in captured.err
    assert captured.err.count("\n") == 1


def test_edge_refuses_tokens(file, token_run, tmp_path, capsys):
    for source in (file, token_run):
        assert edge.main([str(source), f"--output={tmp_path}/device"]) == 2
        captured = capsys.readouterr()
        assert "takes token ids, and devices and pages have no tokenizer" in captured.err
        assert captured.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []
