"""Warm-up requests, which TF Serving runs before it reports a version as ready."""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, predict_pb2, prediction_log_pb2

from export.program.golden import GOLDEN_TEXTS
from export.serving.graph import CLASSIFY, PREDICT

PLACE = "assets.extra/tf_serving_warmup_requests"
BATCHES = (1, 8, 64)
"""Batch sizes; each is sent once to each signature."""


def write_warmup(folder: Path, name: str) -> None:
    """Writes a TFRecord of PredictionLog into a SavedModel's folder.

    Args:
        folder: folder of the SavedModel.
        name: name of the model on the server.
    """
    path = folder / PLACE
    path.parent.mkdir(exist_ok=True)
    texts = [text.encode() for text in GOLDEN_TEXTS]
    with tf.io.TFRecordWriter(str(path)) as writer:
        # Each text alone, for its length, and then some batches.
        for batch in [[text] for text in texts]:
            writer.write(_log_predict(batch, name).SerializeToString())
        for size in BATCHES:
            batch = (texts * size)[:size]
            writer.write(_log_predict(batch, name).SerializeToString())
            writer.write(_log_classify(batch, name).SerializeToString())


def _log_predict(texts: list[bytes], name: str) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = name, PREDICT
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts, tf.string))
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(request)
    return log


def _log_classify(texts: list[bytes], name: str) -> prediction_log_pb2.PredictionLog:
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = name, CLASSIFY
    for text in texts:
        example = request.input.example_list.examples.add()
        example.features.feature["text"].bytes_list.value.append(text)
    log = prediction_log_pb2.PredictionLog()
    log.classify_log.request.CopyFrom(request)
    return log
