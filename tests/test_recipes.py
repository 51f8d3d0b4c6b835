"""The flatbuffer that each recipe writes."""

import numpy as np
import pandas as pd
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from export.litert.convert import append_metadata, convert
from export.litert.gate import check_ops
from export.litert.lookup import INT4_VERSION, INT8_VERSION, swap_gathers
from export.litert.oldest_runtime import find_oldest_runtime
from export.litert.recipes import RECIPES
from export.program.golden import GOLDEN_TEXTS, check_golden
from export.program.inputs import describe_input
from kerasclf.classifier import KerasClassifier
from kerasclf.decision.rule import Decision
from kerasclf.edge_runtime import EdgeClassifier


@pytest.fixture(scope="module")
def classifier(run):
    return KerasClassifier.load(run)


def make_model(classifier, recipe, texts=()):
    return convert(classifier, describe_input(classifier), RECIPES[recipe], texts)


def load(model, classifier, path):
    metadata = {"labels": classifier.labels, "max_bytes": classifier.featurizer.max_bytes}
    path.write_bytes(append_metadata(model, metadata))
    return EdgeClassifier(path)


def read_flatbuffer(model):
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def output_types(model):
    """The output types of each op of a flatbuffer, by name of the op."""
    flatbuffer = read_flatbuffer(model)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    types = {}
    for operator in flatbuffer.subgraphs[0].operators:
        name = names[flatbuffer.operatorCodes[operator.opcodeIndex].builtinCode]
        output = flatbuffer.subgraphs[0].tensors[operator.outputs[0]]
        types.setdefault(name, set()).add(output.type)
    return types


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_agrees_with_keras_and_has_builtin_ops(recipe, classifier, table, tmp_path):
    # The golden texts differ from the table's, and the integer ranges must cover them.
    texts = [*pd.read_csv(table)["text"], *GOLDEN_TEXTS * 5]
    model = make_model(classifier, recipe, texts)
    check_ops(model)
    file = load(model, classifier, tmp_path / "m.tflite")
    tolerance = RECIPES[recipe].tolerance
    assert check_golden(file.predict_proba, classifier, tolerance) <= tolerance


def test_either_op_reads_the_same_embeddings(classifier, tmp_path):
    gathered = make_model(classifier, "float32")
    looked_up = swap_gathers(gathered, INT4_VERSION)
    ops = [set(output_types(model)) for model in (gathered, looked_up)]
    assert ops[0] - ops[1] == {"GATHER"}
    assert ops[1] - ops[0] == {"EMBEDDING_LOOKUP"}
    files = [load(model, classifier, tmp_path / "m.tflite") for model in (gathered, looked_up)]
    for text in GOLDEN_TEXTS:
        first, second = (file.run(text)["probabilities"] for file in files)
        np.testing.assert_array_equal(first, second)


def test_int4_packs_two_weights_of_the_table_in_a_byte(classifier):
    model = read_flatbuffer(make_model(classifier, "int4_embedding"))
    rows, width = classifier.core.get_layer("table").embeddings.shape
    (table,) = (t for t in model.subgraphs[0].tensors if list(t.shape) == [rows, width])
    assert table.type == schema.TensorType.INT4
    assert len(table.quantization.scale) == 1
    assert len(model.buffers[table.buffer].data) == rows * width / 2


@pytest.mark.parametrize("recipe", ["int4_embedding", "full_int8"])
def test_costs_are_computed_in_float32(recipe, classifier, table, tmp_path):
    costs = ((0.0, 1.0, 9.0), (5.0, 0.0, 1.0), (1.0, 1.0, 0.0))
    decision = Decision(1.0, (0.0, 0.0, 0.0), costs)
    decided = KerasClassifier(classifier.featurizer, classifier.core, classifier.labels, decision)
    texts = pd.read_csv(table)["text"].tolist()
    model = make_model(decided, recipe, texts)
    types = {tuple(t.shape): t.type for t in read_flatbuffer(model).subgraphs[0].tensors}
    logits = classifier.core.get_layer("logits").kernel.shape
    assert types[logits[1], logits[0]] == schema.TensorType.INT8
    assert types[3, 3] == schema.TensorType.FLOAT32
    file = load(model, decided, tmp_path / "m.tflite")
    for text in [*texts[::7], *GOLDEN_TEXTS]:
        outputs = file.run(text)
        expected_costs = outputs["probabilities"] @ np.array(costs, np.float32)
        assert outputs["label"] == expected_costs.argmin()


def test_full_int8_keeps_means_and_decision_in_float32(classifier, table):
    texts = pd.read_csv(table)["text"].tolist()
    types = output_types(make_model(classifier, "full_int8", texts))
    for op in ("GATHER", "AVERAGE_POOL_2D", "CONV_2D", "FULLY_CONNECTED"):
        assert types[op] == {schema.TensorType.INT8}
    for op in ("DIV", "LOG_SOFTMAX", "EXP", "ONE_HOT"):
        assert types[op] == {schema.TensorType.FLOAT32}


@pytest.mark.parametrize("recipe", ["float32", "float16", "dynamic_int8"])
def test_the_converter_says_which_runtime_is_the_oldest(recipe, classifier):
    model = make_model(classifier, recipe)
    flatbuffer = read_flatbuffer(model)
    (entry,) = (e for e in flatbuffer.metadata if e.name == b"min_runtime_version")
    written = bytes(flatbuffer.buffers[entry.buffer].data).rstrip(b"\0").decode()
    assert find_oldest_runtime(model) == written == "2.2.0"  # SELECT_V2 came with it.


def test_quantization_after_conversion_needs_a_newer_runtime(classifier, table):
    texts = pd.read_csv(table)["text"].tolist()
    assert find_oldest_runtime(make_model(classifier, "full_int8", texts)) == "2.12.0"
    assert find_oldest_runtime(make_model(classifier, "int4_embedding")) == "2.18.0"


def test_constants_behind_the_flatbuffer_need_a_newer_runtime(classifier):
    flatbuffer = read_flatbuffer(make_model(classifier, "float32"))
    buffer = max((b for b in flatbuffer.buffers if b.data is not None), key=lambda b: len(b.data))
    buffer.data, buffer.offset, buffer.size = None, 1 << 20, len(buffer.data)
    model = bytes(flatbuffer_utils.convert_object_to_bytearray(flatbuffer))
    assert find_oldest_runtime(model) == "2.14.0"


def test_lookups_need_the_runtime_of_their_version(classifier):
    gathered = make_model(classifier, "float32")
    found = [find_oldest_runtime(swap_gathers(gathered, version)) for version in (3, 4, 5)]
    assert (INT8_VERSION, INT4_VERSION) == (3, 4)
    assert found == [find_oldest_runtime(gathered), "2.18.0", None]


def test_without_what_the_converter_wrote_the_oldest_runtime_is_unknown(classifier):
    flatbuffer = read_flatbuffer(make_model(classifier, "float32"))
    flatbuffer.metadata = []
    model = bytes(flatbuffer_utils.convert_object_to_bytearray(flatbuffer))
    assert find_oldest_runtime(model) is None
