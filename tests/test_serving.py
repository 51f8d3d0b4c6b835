import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import keras_hub
import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_serving", reason="needs the extra serving")

from tensorflow_serving.apis import prediction_log_pb2

from export import saved_model
from export.program.golden import GOLDEN_TEXTS, ParityError
from export.serving.graph import check_serving_model, write_serving_model
from export.serving.warmup import PLACE
from kerasclf.classifier import KerasClassifier
from kerasclf.decision.rule import Decision
from kerasclf.models.pretrained import build_pretrained_core
from kerasclf.models.token_featurizer import TokenFeaturizer


@pytest.fixture(scope="module")
def classifier(run):
    return KerasClassifier.load(run)


@pytest.fixture(scope="module")
def signatures(published):
    return tf.saved_model.load(str(published / "2")).signatures


def make_examples(texts):
    examples = []
    for text in texts:
        example = tf.train.Example()
        example.features.feature["text"].bytes_list.value.append(text.encode())
        examples.append(example.SerializeToString())
    return tf.constant(examples, tf.string)


def test_signatures(signatures):
    assert signatures.keys() == {"serving_default", "classify"}
    outputs = signatures["serving_default"].structured_outputs
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in outputs.items()} == {
        "label": (tf.string, [None]),
        "class_id": (tf.int32, [None]),
        "probabilities": (tf.float32, [None, 3]),
        "review": (tf.bool, [None]),
        "version": (tf.int64, [None]),
    }
    _, inputs = signatures["serving_default"].structured_input_signature
    assert inputs == {"text": tf.TensorSpec([None], tf.string, name="text")}


def test_signatures_have_the_method_names_that_servers_expect(published):
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.ParseFromString((published / "1" / "saved_model.pb").read_bytes())
    (graph,) = model.meta_graphs
    assert list(graph.meta_info_def.tags) == ["serve"]
    assert graph.signature_def["serving_default"].method_name == "tensorflow/serving/predict"
    assert graph.signature_def["classify"].method_name == "tensorflow/serving/classify"
    assert graph.signature_def["classify"].inputs.keys() == {"inputs"}


def test_predictions_are_those_of_keras(signatures, classifier):
    texts = [*GOLDEN_TEXTS, "guten Morgen", "thank you Leeds"]
    outputs = signatures["serving_default"](text=tf.constant([text.encode() for text in texts]))
    probabilities = classifier.predict_proba(texts)
    np.testing.assert_allclose(outputs["probabilities"], probabilities, atol=1e-5)
    expected = classifier.predict(texts)["predicted_label"].tolist()
    assert [label.decode() for label in outputs["label"].numpy()] == expected
    assert set(outputs["version"].numpy()) == {2}
    classified = signatures["classify"](inputs=make_examples(texts))
    np.testing.assert_allclose(classified["scores"], probabilities, atol=1e-5)
    names = [label.encode() for label in classifier.labels]
    assert classified["classes"].numpy().tolist() == [names] * len(texts)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(1.5, (2.0, -1.0, 0.5)),
        Decision(1.0, (0.0, 0.0, 0.0), ((0.0, 1.0, 9.0), (5.0, 0.0, 1.0), (1.0, 1.0, 0.0))),
    ],
)
def test_decision_is_inside_the_graph(decision, classifier, tmp_path):
    decided = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, decision)
    texts = [*GOLDEN_TEXTS, "guten Morgen", "thank you Leeds", "saya makan nasi Solo"]
    # Between two confidences, so that some texts are flagged and rounding flags no other.
    middle = np.sort(decided.predict(texts)["confidence"])[[8, -1]].mean()
    decided.decision = replace(decision, review_below=float(middle))
    write_serving_model(decided, 3, tmp_path / "m")
    signature = tf.saved_model.load(str(tmp_path / "m")).signatures["serving_default"]
    outputs = signature(text=tf.constant([text.encode() for text in texts]))
    expected = decided.predict(texts)
    assert [x.decode() for x in outputs["label"].numpy()] == expected["predicted_label"].tolist()
    assert outputs["review"].numpy().tolist() == expected["review"].tolist()
    assert len(set(expected["review"])) == 2


def test_every_text_gets_a_prediction(signatures):
    random = np.random.default_rng(0)
    texts = [random.bytes(size) for size in (*range(40), 255, 256, 257, 5000)]
    texts += [b"\xff", b"\xc3", b"\0" * 300, "\ud83d".encode("utf-8", "surrogatepass")]
    texts += [b"x" * 2_000_000]
    for batch in (texts, [], [b""], *([text] for text in texts)):
        outputs = signatures["serving_default"](text=tf.constant(batch, tf.string))
        assert {len(value) for value in outputs.values()} == {len(batch)}
        np.testing.assert_allclose(np.sum(outputs["probabilities"], axis=1), 1, atol=1e-5)
    empty = signatures["classify"](inputs=tf.constant([], tf.string))
    assert empty["scores"].shape == empty["classes"].shape == (0, 3)


@pytest.mark.parametrize("wrong", ["text", [["a", "b"]]])
def test_other_shapes_are_refused(wrong, signatures):
    with pytest.raises(tf.errors.InvalidArgumentError):
        signatures["serving_default"](text=tf.constant(wrong))


@pytest.mark.parametrize("wrong", [b"no example", tf.train.Example().SerializeToString()])
def test_examples_without_a_text_are_refused(wrong, signatures):
    with pytest.raises(tf.errors.InvalidArgumentError):
        signatures["classify"](inputs=tf.constant([wrong]))


def test_warmup_requests_run(published, signatures):
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(published / "2" / PLACE))
    ]
    assert {log.WhichOneof("log_type") for log in logs} == {"predict_log", "classify_log"}
    assert len(logs) <= 1000
    for log in logs:
        if log.HasField("predict_log"):
            request = log.predict_log.request
            texts = tf.constant(tf.make_ndarray(request.inputs["text"]), tf.string)
            outputs = signatures[request.model_spec.signature_name](text=texts)
        else:
            request = log.classify_log.request
            examples = [e.SerializeToString() for e in request.input.example_list.examples]
            texts = tf.constant(examples)
            outputs = signatures[request.model_spec.signature_name](inputs=texts)
        assert request.model_spec.name == "greetings"
        assert {len(value) for value in outputs.values()} == {len(texts)} != {0}


def test_another_model_is_not_published(classifier, run, tmp_path, capsys, monkeypatch):
    write_serving_model(classifier, 1, tmp_path / "m")
    warmer = replace(classifier.decision, temperature=classifier.decision.temperature * 3)
    other = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, warmer)
    check_serving_model(tmp_path / "m", classifier)
    with pytest.raises(ParityError, match="differ from Keras"):
        check_serving_model(tmp_path / "m", other)
    monkeypatch.setattr("export.serving.graph.TOLERANCE", -1)
    assert saved_model.main([str(run), f"--to={tmp_path}/served/g"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "g was not published: probabilities differ from Keras" in error
    assert list((tmp_path / "served" / "g").iterdir()) == []


def make_tokenizer(kind, folder):
    words = ["selamat", "pagi", "good", "morning"]
    if kind == "WordPiece":
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
        return keras_hub.models.BertTokenizer(vocabulary), keras_hub.models.BertBackbone
    if kind == "BPE":
        pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a", "b", "ab", "Ġ", "Ġa"]
        vocabulary = {piece: i for i, piece in enumerate(pieces)}
        tokenizer = keras_hub.models.RobertaTokenizer(vocabulary, ["a b", "Ġ a"])
        return tokenizer, keras_hub.models.RobertaBackbone
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(words)] * 9),
        model_prefix=str(folder / "words"),
        vocab_size=18,
        minloglevel=2,
    )
    tokenizer = keras_hub.models.XLMRobertaTokenizer(str(folder / "words.model"))
    return tokenizer, keras_hub.models.XLMRobertaBackbone


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["WordPiece", "BPE", "SentencePiece"])
# KerasHub leaves the vocabulary's file to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tokenizers_are_inside_the_graph(kind, tmp_path):
    tokenizer, backbone = make_tokenizer(kind, tmp_path)
    preprocessors = {
        "WordPiece": keras_hub.models.BertTextClassifierPreprocessor,
        "BPE": keras_hub.models.RobertaTextClassifierPreprocessor,
        "SentencePiece": keras_hub.models.XLMRobertaTextClassifierPreprocessor,
    }
    size = tokenizer.vocabulary_size() + 2
    core = build_pretrained_core(backbone(size, 1, 1, 2, 4, max_sequence_length=32), 3, 0.1)
    featurizer = TokenFeaturizer(preprocessors[kind](tokenizer, sequence_length=32))
    classifier = KerasClassifier(featurizer, core, ["a", "b", "c"])
    write_serving_model(classifier, 1, tmp_path / "m")
    check_serving_model(tmp_path / "m", classifier)


def compile_loader(folder):
    """The C++ loader, built against the installed TensorFlow."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("needs g++ to build tests/load_saved_model.cc")
    library = Path(tf.sysconfig.get_lib())
    program = folder / "load_saved_model"
    subprocess.run(
        [
            *(compiler, "-w", *tf.sysconfig.get_compile_flags()),
            *(Path(__file__).parent / "load_saved_model.cc", "-o", program),
            *(f"-L{library}", f"-Wl,-rpath,{library}", "-Wl,--no-as-needed"),
            *("-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"),
        ],
        check=True,
    )
    return program


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    return compile_loader(tmp_path_factory.mktemp("loader"))


def load(loader, folder, texts, shape):
    return subprocess.run(
        [loader, folder, *map(str, shape)],
        input=b"".join(struct.pack("I", len(text)) + text for text in texts),
        capture_output=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 32, 512])
def test_loads_without_python(count, loader, published, classifier):
    texts = [f"{text} {i}" for i in range(40) for text in (*GOLDEN_TEXTS, "guten Morgen")][:count]
    done = load(loader, published / "2", [text.encode() for text in texts], [count])
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    expected = classifier.predict(texts)
    assert [row[0] for row in rows] == expected["predicted_label"].tolist()
    assert [classifier.labels[int(row[1])] for row in rows] == [row[0] for row in rows]
    assert [bool(int(row[2])) for row in rows] == expected["review"].tolist()
    assert {row[3] for row in rows} <= {"2"}
    if rows:
        probabilities = np.array([row[4:] for row in rows], float)
        np.testing.assert_allclose(probabilities, classifier.predict_proba(texts), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [[], [2, 2], [4, 1]])
def test_wrong_shapes_are_errors_and_no_crash(shape, loader, published):
    done = load(loader, published / "2", [b"a", b"b", b"c", b"d"], shape)
    assert done.returncode == 3, done.stderr
    assert done.stdout == b""
