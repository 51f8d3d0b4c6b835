"""An encoder in one small module, as docs/architecture.md describes how to add one."""

import keras
import tensorflow as tf

from kerasclf.files import save_record
from kerasclf.models.featurizer import SETTINGS

LENGTH = 32


class ToyFeaturizer:
    """The first 32 UTF-8 bytes of a text, as they are."""

    needs_tf_text = False

    @property
    def inputs(self):
        return {"bytes": LENGTH}

    def lengths(self, texts):
        return None

    def __call__(self, texts):
        return self.featurize(self.read(texts))

    def read(self, texts):
        raw = tf.io.decode_raw(texts, tf.uint8, fixed_length=LENGTH)
        return {"bytes": tf.cast(raw, tf.int32)}

    def featurize(self, inputs):
        return inputs

    def describe(self):
        return {"input": "bytes", "max_bytes": LENGTH}

    def resources(self):
        return []

    def save(self, folder):
        folder.mkdir(exist_ok=True)
        save_record(folder / SETTINGS, {"kind": "toy"})


def build(config, num_classes):
    raw = keras.layers.Input((LENGTH,), dtype="int32", name="bytes")
    x = keras.layers.Embedding(256, 16, name="table")(raw)
    x = keras.layers.Conv1D(16, 3, activation="relu", name="conv")(x)
    x = keras.layers.GlobalMaxPooling1D(name="pool")(x)
    x = keras.layers.Dropout(config.dropout, name="dropout")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(x)
    return ToyFeaturizer(), keras.Model(raw, logits, name="toy")


def load_featurizer(folder):
    return ToyFeaturizer()
