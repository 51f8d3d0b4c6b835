import inspect
import typing
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.compiler.tensorrt import trt_convert

from export import tftrt
from export.program.golden import ParityError, check_golden
from export.serving.graph import PREDICT, predict_singly, write_serving_model
from export.tensorrt.trt_graph import (
    BATCHES,
    TOLERANCES,
    calibration_batches,
    converter_options,
    shape_batches,
)
from kerasclf.classifier import KerasClassifier

BUILT_WITH_TENSORRT = tf.sysconfig.get_build_info()["is_tensorrt_build"]


@pytest.fixture(scope="module")
def classifier(run):
    return KerasClassifier.load(run)


@pytest.fixture(scope="module")
def signature(classifier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving") / "m"
    write_serving_model(classifier, 1, folder)
    return tf.saved_model.load(str(folder)).signatures[PREDICT]


@pytest.mark.skipif(BUILT_WITH_TENSORRT, reason="this TensorFlow has TensorRT")
def test_without_tensorrt_one_line_and_exit_code_3(run, tmp_path, capsys):
    assert tftrt.main([str(run), f"--output={tmp_path}/m"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert f"TensorFlow {tf.__version__} was built without TensorRT" in captured.err
    assert "kerasclf onnx" in captured.err
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_are_the_users(run, tmp_path, capsys):
    cases = {
        "no run given": [],
        "no run ": [str(tmp_path / "none")],
        "invalid choice": [str(run), "--precision=INT4"],
        "already exists": [str(run), f"--output={tmp_path}"],
        "is not a folder": [str(run), f"--output={run}/labels.json/m"],
    }
    for message, arguments in cases.items():
        assert tftrt.main(arguments) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1


def test_precisions_are_those_of_the_converter():
    known = set(trt_convert.TrtPrecisionMode.supported_precision_modes())
    ours = typing.get_args(typing.get_type_hints(tftrt.TftrtOptions)["precision"])
    assert set(ours) == TOLERANCES.keys()
    assert {precision.upper() for precision in known} == set(ours)


@pytest.mark.parametrize("precision", TOLERANCES)
def test_options_are_those_of_the_converter(precision, tmp_path):
    options = converter_options(tmp_path, precision)
    converter = tf.experimental.tensorrt.Converter
    inspect.signature(converter.__init__).bind(None, **options)
    strategies = trt_convert.supported_profile_strategies()
    assert options["dynamic_shape_profile_strategy"] in strategies
    assert options["input_saved_model_signature_key"] == "serving_default"
    assert options["use_calibration"] == (precision == "INT8")


def test_shapes_go_from_the_smallest_to_the_largest(signature):
    shapes = [signature(**batch)["probabilities"].shape for batch in shape_batches()]
    assert shapes == [(size, 3) for size in BATCHES]


def test_calibration_sees_training_texts_of_one_shape(signature):
    texts = [f"selamat pagi {i}" for i in range(1000)]
    texts[3] = longest = "selamat pagi " * 9
    batches = [batch["text"].numpy() for batch in calibration_batches(texts)]
    assert [batch.shape for batch in batches] == [(32,)] * 16
    assert all(batch[-1].decode() == longest for batch in batches)
    assert {text.decode() for batch in batches for text in batch} <= set(texts)
    for batch in batches[:2]:
        assert signature(text=tf.constant(batch))["probabilities"].shape == (32, 3)
    few = [batch["text"].shape for batch in calibration_batches(texts[:5])]
    assert few == [(5,)]


def test_predictions_are_compared_with_keras(signature, classifier):
    assert check_golden(partial(predict_singly, signature), classifier, 1e-5) <= 1e-5

    def rounded(text):
        outputs = signature(text=text)
        return {**outputs, "probabilities": outputs["probabilities"] + 0.01}

    difference = check_golden(partial(predict_singly, rounded), classifier, TOLERANCES["INT8"])
    np.testing.assert_allclose(difference, 0.01, rtol=1e-3)
    with pytest.raises(ParityError, match=r"differ from Keras by 0\.01"):
        check_golden(partial(predict_singly, rounded), classifier, TOLERANCES["FP16"])
