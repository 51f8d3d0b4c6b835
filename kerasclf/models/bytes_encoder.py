"""The default encoder: hashed n-grams of raw UTF-8 bytes, an embedding table and convolutions."""

from pathlib import Path
from types import ModuleType

import keras

from kerasclf.config import TrainConfig
from kerasclf.models.bytes_featurizer import ORDERS, BytesFeaturizer
from kerasclf.models.towers import MEAN_OF_TOWERS

KERNELS = (3, 9)
NGRAM_DROPOUT = 0.2
CHANNEL_DROPOUT = 0.1
TABLE_SCALE = 0.01
TABLE_GAIN = 16.0  # the table stays small, which suits AdamW's steps, and is scaled up when read


def build(config: TrainConfig, num_classes: int) -> tuple[BytesFeaturizer, keras.Model]:
    """Builds the featurizer and an untrained core."""
    return BytesFeaturizer(config.max_bytes, config.buckets), build_core(config, num_classes)


def load_featurizer(folder: Path) -> BytesFeaturizer:
    """Loads what `BytesFeaturizer.save` wrote."""
    return BytesFeaturizer.load(folder)


def build_core(config: TrainConfig, num_classes: int, library: ModuleType = keras) -> keras.Model:
    """Builds towers over the same n-grams, each with its own table; the logits are their mean.

    A tower is a bag of hashed n-grams beside convolutions over them. It uses only layers that
    tf_keras has as well, and Conv2D layers with (k, 1) kernels, which TFMOT can prune and quantize.
    Positions behind the end of a text are zeroed before each convolution and excluded from the
    pooling, so that a prediction does not depend on padding.

    Args:
        config: a resolved configuration; its `buckets`, `embedding_dim`, `filters`, `dropout` and
            `towers` are used.
        num_classes: number of logits.
        library: keras, or tf_keras for tools that support only that one.

    Returns:
        Model of "ngrams" int32 [batch, length, 5] and "mask" float32 [batch, length] to logits
        float32 [batch, num_classes]. Layers of the second tower have the names of the first tower's
        layers with the suffix _2, and so on.
    """
    embedding_dim, filters, towers = config.embedding_dim, config.filters, config.towers
    layers = library.layers
    ngrams = layers.Input((None, ORDERS), dtype="int32", name="ngrams")
    mask = layers.Input((None,), dtype="float32", name="mask")
    inside = layers.Reshape((-1, 1, 1), name="inside")(mask)
    logits = []
    for tower in range(1, towers + 1):
        end = "" if tower == 1 else f"_{tower}"
        small = library.initializers.RandomUniform(-TABLE_SCALE, TABLE_SCALE)
        table = layers.Embedding(
            config.buckets, embedding_dim, embeddings_initializer=small, name=f"table{end}"
        )
        pooled = _pool(layers, table(ngrams), mask, inside, embedding_dim, filters, end)
        pooled = layers.Dropout(config.dropout, name=f"dropout{end}")(pooled)
        logits.append(layers.Dense(num_classes, dtype="float32", name=f"logits{end}")(pooled))
    output = logits[0] if towers == 1 else layers.Average(name=MEAN_OF_TOWERS)(logits)
    return library.Model([ngrams, mask], output, name="bytes")


def _pool(layers: ModuleType, x, mask, inside, embedding_dim: int, filters: int, end: str):
    """Pools n-gram embeddings to features of a text, [batch, embedding_dim + 4 * filters]."""
    # Drops whole n-grams, so that no rare one decides a text alone.
    whole = (None, None, ORDERS, 1)
    x = layers.Dropout(NGRAM_DROPOUT, noise_shape=whole, name=f"ngram_dropout{end}")(x)
    x = layers.AveragePooling2D((1, ORDERS), name=f"mean_of_orders{end}")(x)
    x = layers.Rescaling(TABLE_GAIN, name=f"gain{end}")(x)
    x = layers.Multiply(name=f"grams{end}")([x, inside])
    pooled = [_masked_mean(layers, x, mask, embedding_dim, f"bag{end}")]
    x = layers.SpatialDropout2D(CHANNEL_DROPOUT, name=f"channel_dropout{end}")(x)
    for kernel in KERNELS:
        phrases = layers.Conv2D(
            filters, (kernel, 1), padding="same", activation="relu", name=f"conv{kernel}{end}"
        )(x)
        phrases = layers.Multiply(name=f"phrases{kernel}{end}")([phrases, inside])
        pooled.append(_masked_mean(layers, phrases, mask, filters, f"mean{kernel}{end}"))
        pooled.append(layers.GlobalMaxPooling2D(name=f"max{kernel}{end}")(phrases))
    return layers.Concatenate(name=f"pooled{end}")(pooled)


def _masked_mean(layers: ModuleType, x, mask, width: int, name: str):
    """Mean over the positions inside the text, [batch, width]."""
    flat = layers.Reshape((-1, width), name=f"{name}_flat")(x)
    return layers.GlobalAveragePooling1D(name=name)(flat, mask=mask)
