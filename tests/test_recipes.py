"""What each recipe writes into the flatbuffer."""

import numpy as np
import pandas as pd
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from export.convert import append_metadata, convert
from export.gate import check_golden, check_ops
from export.golden import GOLDEN_TEXTS
from export.lookup import swap_gathers
from export.recipes import RECIPES
from export.runtime import EdgeClassifier
from kerasclf.classifier import Classifier
from kerasclf.decision.rule import Decision


@pytest.fixture(scope="module")
def classifier(run):
    return Classifier.load(run)


def load(model, classifier, path):
    metadata = {"labels": classifier.labels, "max_bytes": classifier.featurizer.max_bytes}
    path.write_bytes(append_metadata(model, metadata))
    return EdgeClassifier(path)


def read_flatbuffer(model):
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def output_types(model):
    """Types of the outputs of each op of a flatbuffer, by the op's name."""
    found = read_flatbuffer(model)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    types = {}
    for operator in found.subgraphs[0].operators:
        name = names[found.operatorCodes[operator.opcodeIndex].builtinCode]
        output = found.subgraphs[0].tensors[operator.outputs[0]]
        types.setdefault(name, set()).add(output.type)
    return types


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_agrees_with_keras_and_has_builtin_ops(recipe, classifier, table, tmp_path):
    recipe = RECIPES[recipe]
    # The golden texts are far from the table's: ranges for integers must know them.
    texts = [*pd.read_csv(table)["text"], *GOLDEN_TEXTS * 5]
    model = convert(classifier, recipe, texts)
    check_ops(model)
    file = load(model, classifier, tmp_path / "m.tflite")
    assert check_golden(file, classifier, recipe) <= recipe.tolerance


def test_table_reads_the_same_by_either_op(classifier, tmp_path):
    gathered = convert(classifier, RECIPES["float32"], [])
    looked_up = swap_gathers(gathered)
    ops = [set(output_types(model)) for model in (gathered, looked_up)]
    assert ops[0] - ops[1] == {"GATHER"}
    assert ops[1] - ops[0] == {"EMBEDDING_LOOKUP"}
    files = [load(model, classifier, tmp_path / "m.tflite") for model in (gathered, looked_up)]
    for text in GOLDEN_TEXTS:
        first, second = (file.run(text)["probabilities"] for file in files)
        np.testing.assert_array_equal(first, second)


def test_int4_packs_the_table_two_to_a_byte(classifier):
    model = read_flatbuffer(convert(classifier, RECIPES["int4_embedding"], []))
    rows, width = classifier.core.get_layer("table").embeddings.shape
    (table,) = (t for t in model.subgraphs[0].tensors if list(t.shape) == [rows, width])
    assert table.type == schema.TensorType.INT4
    assert len(table.quantization.scale) == 1
    assert len(model.buffers[table.buffer].data) == rows * width / 2


@pytest.mark.parametrize("recipe", ["int4_embedding", "full_int8"])
def test_costs_are_weighed_in_float32(recipe, classifier, table, tmp_path):
    costs = ((0.0, 1.0, 9.0), (5.0, 0.0, 1.0), (1.0, 1.0, 0.0))
    decision = Decision(1.0, (0.0, 0.0, 0.0), costs)
    decided = Classifier(classifier.featurizer, classifier.core, classifier.labels, decision)
    texts = pd.read_csv(table)["text"].tolist()
    model = convert(decided, RECIPES[recipe], texts)
    types = {tuple(t.shape): t.type for t in read_flatbuffer(model).subgraphs[0].tensors}
    logits = classifier.core.get_layer("logits").kernel.shape
    assert types[logits[1], logits[0]] == schema.TensorType.INT8
    assert types[3, 3] == schema.TensorType.FLOAT32
    file = load(model, decided, tmp_path / "m.tflite")
    for text in [*texts[::7], *GOLDEN_TEXTS]:
        found = file.run(text)
        assert found["label"] == (found["probabilities"] @ np.array(costs, np.float32)).argmin()


def test_full_int8_keeps_means_and_decision_in_float32(classifier, table):
    texts = pd.read_csv(table)["text"].tolist()
    types = output_types(convert(classifier, RECIPES["full_int8"], texts))
    for op in ("GATHER", "AVERAGE_POOL_2D", "CONV_2D", "FULLY_CONNECTED"):
        assert types[op] == {schema.TensorType.INT8}
    for op in ("DIV", "LOG_SOFTMAX", "EXP", "ONE_HOT"):
        assert types[op] == {schema.TensorType.FLOAT32}
