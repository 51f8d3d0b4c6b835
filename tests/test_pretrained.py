import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from kerasclf.errors import UserError
from kerasclf.models.featurizer import batch_by_length
from kerasclf.models.load import load_featurizer
from kerasclf.models.pretrained import build_pretrained_core, freeze_layers, load_pretrained
from kerasclf.train import main as train

# KerasHub leaves the vocabulary's file to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=["small_e5", "minilm"])
def encoder(request):
    return request.getfixturevalue(request.param)


TEXTS = ["selamat pagi", "", "😀 a\0b", "x " * 4000, "sebuah kalimat yang agak panjang " * 3]


def test_featurizer_is_the_same_eagerly_in_map_and_after_reload(encoder, tmp_path):
    featurizer, backbone = load_pretrained(str(encoder), 96)
    eager = featurizer(tf.constant(TEXTS))
    dataset = tf.data.Dataset.from_tensor_slices(tf.constant(TEXTS)).batch(len(TEXTS))
    mapped = next(iter(dataset.map(featurizer)))
    featurizer.save(tmp_path / "featurizer")
    again = load_featurizer(tmp_path / "featurizer")(tf.constant(TEXTS))
    for name in eager:
        np.testing.assert_array_equal(eager[name], mapped[name])
        np.testing.assert_array_equal(eager[name], again[name])
    # Batches are cropped to the bucket of their longest text.
    assert eager["token_ids"].shape[1] == 96
    short = featurizer(tf.constant(TEXTS[:2]))
    counts = featurizer.lengths([text.encode() for text in TEXTS])
    assert counts[:2].max() <= short["token_ids"].shape[1] <= 8
    core = build_pretrained_core(backbone, 3, 0.1)
    whole = core(eager).numpy()
    assert np.isfinite(whole).all()
    np.testing.assert_allclose(core(short), whole[:2], atol=1e-4)


def test_batches_have_texts_with_about_as_many_tokens(encoder):
    featurizer, _ = load_pretrained(str(encoder), 96)
    texts = [text.encode() for text in [*TEXTS, "😀" * 20, "a" * 20] * 300]
    counts = featurizer.lengths(texts)
    assert counts[:7].tolist() == [featurizer.lengths([text])[0] for text in texts[:7]]
    assert counts.tolist() == np.tile(counts[:7], 300).tolist()
    masks = featurizer.read(tf.constant(texts[:7]))["padding_mask"].numpy()
    assert counts[:7].tolist() == masks.sum(axis=1).tolist()
    assert counts[1] == counts.min()
    assert counts[3] == counts.max() == 96
    batches = list(batch_by_length(featurizer, texts, 300))
    assert sorted(np.concatenate(batches)) == list(range(len(texts)))
    assert [len(set(counts[rows])) for rows in batches] == [1] * 7
    assert len(featurizer.lengths([])) == 0


def test_the_lowest_layers_are_frozen(encoder):
    _, backbone = load_pretrained(str(encoder), 16)
    layers = [layer for layer in backbone.layers if "transformer_layer" in layer.name]
    everything = len(backbone.trainable_variables)
    freeze_layers(backbone, 0)
    assert len(backbone.trainable_variables) == everything
    freeze_layers(backbone, 2)
    assert [layer.trainable for layer in layers] == [False] * 2 + [True] * (len(layers) - 2)
    # Nothing below them is trained either.
    below = backbone.layers[: backbone.layers.index(layers[2])]
    assert not [v for layer in below for v in layer.trainable_variables]
    with pytest.raises(UserError, match=f"has {len(layers)} layers"):
        freeze_layers(backbone, len(layers) + 1)


def test_a_bytes_encoder_has_no_layers_to_freeze(table, capsys):
    assert train([f"--data={table}", "--freeze-layers=2"]) == 2
    assert "--freeze-layers needs an --encoder that is pretrained" in capsys.readouterr().err


@pytest.mark.slow
def test_trains_on_a_pretrained_encoder(minilm, table, tmp_path):
    rows = pd.read_csv(table)
    rows.to_csv(tmp_path / "t.csv", index=False)
    options = ["--epochs=2", "--max-tokens=16", "--learning-rate=3e-4", f"--output={tmp_path}/runs"]
    assert train([f"--data={tmp_path}/t.csv", f"--encoder={minilm}", *options]) == 0
    run = tmp_path / "runs" / "t" / "1"
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["test"]["measures"]["macro_f1"]["value"] > 0.8
    import kerasclf

    predicted = kerasclf.load(run).predict(["guten Morgen Berlin"])
    assert predicted["predicted_label"].tolist() == ["de"]
