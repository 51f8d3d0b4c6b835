"""Models that label a batch: a run through Keras, or a SavedModel through TensorFlow alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from export.serving.versions import Versions
from kerasclf.console import quiet_imports
from kerasclf.encoders import find_encoder
from kerasclf.errors import UserError
from kerasclf.files import load_record, read_json
from kerasclf.prediction import Predictor
from kerasclf.run.layout import RunLayout
from kerasclf.trained import Classifier


@dataclass(frozen=True)
class Model:
    """What is known of a model before it is loaded.

    Attributes:
        path: folder of the run or of the SavedModel.
        labels: label names by class id.
        version: NAME/N of a run, N of a SavedModel.
        served: whether it is a SavedModel.
        encoder: the run's encoder; of an ensemble, "ensemble".
    """

    path: str
    labels: tuple[str, ...]
    version: str
    served: bool
    encoder: str


def find_model(path: Path) -> Model:
    """Finds a finished run or a published SavedModel.

    Args:
        path: folder of a run or of one version, or of all runs of a name or all versions of a
            model, of which the newest is taken.

    Raises:
        UserError: there is neither, or the SavedModel has no record.
    """
    path = path.absolute()
    if not (path / "saved_model.pb").is_file() and (published := _published(path)):
        path = path / str(published[-1])
    if not (path / "saved_model.pb").is_file():
        layout = RunLayout.open(path)
        metrics = load_record(layout.metrics)
        version = f"{metrics['name']}/{metrics['number']}"
        labels = tuple(read_json(layout.labels))
        return Model(str(layout.root), labels, version, False, metrics["encoder"])
    record = path.with_name(f"{path.name}.json")
    if not record.is_file():
        raise UserError(
            f"{path} has no {record.name} beside it, which holds its labels; give a folder written "
            "by kerasclf saved_model, such as saved_models/NAME/1"
        )
    published_run = load_record(record)
    labels = tuple(published_run["labels"])
    return Model(str(path), labels, path.name, True, published_run["encoder"])


def _published(folder: Path) -> list[int]:
    """Numbers of the SavedModels in a folder, ascending; numbered runs are not counted."""
    numbers = Versions(folder).published()
    return [n for n in numbers if (folder / str(n) / "saved_model.pb").is_file()]


def load_model(model: Model, few: bool) -> Predictor:
    """Loads a model.

    Args:
        model: a run or a SavedModel.
        few: whether it labels few rows, for which a run need not start TensorFlow.
    """
    if few and not model.served:
        return Classifier.load(model.path)
    with quiet_imports():
        from kerasclf.classifier import KerasClassifier

        return ServedModel(model) if model.served else KerasClassifier.load(model.path)


class ServedModel:
    """The signature `serving_default` of a SavedModel as a function of strings."""

    def __init__(self, model: Model):
        """Loads the SavedModel."""
        import tensorflow as tf

        if not find_encoder(model.encoder).reads_bytes:
            import tensorflow_text  # noqa: F401  registers the ops of tokenizers
        self._labels = model.labels
        # The signature does not keep its SavedModel alive.
        self._loaded = tf.saved_model.load(model.path)
        self._serve = self._loaded.signatures["serving_default"]

    def predict(self, texts: Iterable[str]) -> pd.DataFrame:
        """Labels n texts; returns a frame like that of `Classifier.predict`."""
        import tensorflow as tf

        from kerasclf.classifier import BATCH_SIZE, describe_decisions
        from kerasclf.models.featurizer import batch_by_length

        encoded = [text.encode("utf-8", "replace") for text in texts]
        decided = np.zeros(len(encoded), dtype=np.int64)
        review = np.zeros(len(encoded), dtype=bool)
        probabilities = np.zeros((len(encoded), len(self._labels)))
        for rows in batch_by_length(None, encoded, BATCH_SIZE):
            outputs = self._serve(text=tf.constant([encoded[i] for i in rows]))
            decided[rows] = outputs["class_id"].numpy()
            review[rows] = outputs["review"].numpy()
            probabilities[rows] = outputs["probabilities"].numpy()
        return describe_decisions(self._labels, decided, probabilities, review)
