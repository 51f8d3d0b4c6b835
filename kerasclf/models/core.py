"""The middle of the seam: cores of standard Keras layers, from model inputs to logits."""

from types import ModuleType

import keras

from kerasclf.models.bytes_featurizer import ORDERS

KERNELS = (3, 9)
MEAN_OF_TOWERS = "mean_of_towers"
NGRAM_DROPOUT = 0.2
CHANNEL_DROPOUT = 0.1
TABLE_SCALE = 0.01
TABLE_GAIN = 16.0  # the table starts and stays small, which AdamW's steps suit, and is read large


def build_bytes_core(
    classes: int,
    buckets: int,
    embedding_dim: int,
    filters: int,
    dropout: float,
    towers: int = 1,
    library: ModuleType = keras,
) -> keras.Model:
    """Towers over the same n-grams, each with a table of its own; the logits are their mean.

    A tower is a bag of hashed n-grams beside convolutions over them. Only layers that tf_keras has
    too, and convolutions as Conv2D with (k, 1) kernels: those are what pruning and quantization
    know. What is behind the end of a text is zeroed before each convolution and left out of the
    pooling, so that a prediction does not depend on padding.

    Args:
        classes: number of logits.
        buckets: rows of a table of hashed n-grams.
        embedding_dim: width of a table.
        filters: filters of each convolution.
        dropout: share of the pooled features that is dropped in training.
        towers: number of towers.
        library: keras, or tf_keras for tools that know only that one.

    Returns:
        Model of "ngrams" int32 [batch, length, 5] and "mask" float32 [batch, length] to logits
        float32 [batch, classes]. The layers of a second tower are called as those of the first,
        with _2 at the end, and so on.
    """
    layers = library.layers
    ngrams = layers.Input((None, ORDERS), dtype="int32", name="ngrams")
    mask = layers.Input((None,), dtype="float32", name="mask")
    inside = layers.Reshape((-1, 1, 1), name="inside")(mask)
    logits = []
    for tower in range(1, towers + 1):
        end = "" if tower == 1 else f"_{tower}"
        small = library.initializers.RandomUniform(-TABLE_SCALE, TABLE_SCALE)
        table = layers.Embedding(
            buckets, embedding_dim, embeddings_initializer=small, name=f"table{end}"
        )
        pooled = _pool(layers, table(ngrams), mask, inside, embedding_dim, filters, end)
        pooled = layers.Dropout(dropout, name=f"dropout{end}")(pooled)
        logits.append(layers.Dense(classes, dtype="float32", name=f"logits{end}")(pooled))
    output = logits[0] if towers == 1 else layers.Average(name=MEAN_OF_TOWERS)(logits)
    return library.Model([ngrams, mask], output, name="bytes")


def _pool(layers: ModuleType, x, mask, inside, embedding_dim: int, filters: int, end: str):
    """The features of texts, [batch, embedding_dim + 4 filters], of their n-grams' embeddings."""
    # Whole n-grams are dropped: no rare one may carry a text alone.
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


def tower_logits(core: keras.Model) -> list[keras.KerasTensor]:
    """The logits of each tower of a core; of a core without towers, its own."""
    last = core.layers[-1]
    return last.input if last.name == MEAN_OF_TOWERS else [core.outputs[0]]


def build_pretrained_core(backbone: keras.Model, classes: int, dropout: float) -> keras.Model:
    """A pretrained backbone with mean pooling over its tokens and a dropout head.

    Args:
        backbone: KerasHub text backbone.
        classes: number of logits.
        dropout: share of the pooled features that is dropped in training.

    Returns:
        Model of the backbone's inputs, [batch, length], to logits float32 [batch, classes].
    """
    inputs = {tensor.name: tensor for tensor in backbone.inputs}
    output = backbone.output
    sequence = output["sequence_output"] if isinstance(output, dict) else output
    mask = inputs["padding_mask"]
    x = keras.layers.GlobalAveragePooling1D(name="mean")(sequence, mask=mask)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model(backbone.inputs, logits, name="pretrained")
