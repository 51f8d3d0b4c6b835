"""What labels texts in a batch: a run by Keras, or a published SavedModel by TensorFlow alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from export.versions import Versions
from kerasclf.errors import UserError
from kerasclf.files import read_json
from kerasclf.layout import RunLayout


@dataclass(frozen=True)
class Model:
    """What is known of a model before it is loaded.

    Attributes:
        path: folder of the run or of the SavedModel.
        labels: label names by class id.
        version: NAME/N of a run, N of a SavedModel.
        served: whether it is a SavedModel.
        encoder: `bytes`, or that whose tokenizer a SavedModel holds.
    """

    path: str
    labels: tuple[str, ...]
    version: str
    served: bool
    encoder: str


def find_model(path: Path) -> Model:
    """Finds a finished run, or the newest of a name; or a version, or the newest of a model.

    Raises:
        UserError: there is neither.
    """
    path = path.absolute()
    if not (path / "saved_model.pb").is_file() and (published := _published(path)):
        path = path / str(published[-1])
    if not (path / "saved_model.pb").is_file():
        layout = RunLayout.open(path)
        metrics = read_json(layout.metrics)
        version = f"{metrics['name']}/{metrics['number']}"
        labels = tuple(read_json(layout.labels))
        return Model(str(layout.root), labels, version, False, metrics["encoder"])
    record = path.with_name(f"{path.name}.json")
    if not record.is_file():
        raise UserError(
            f"{path} has no {record.name} beside it, which names its labels; give a folder that "
            "kerasclf saved_model made, such as saved_models/NAME/1"
        )
    found = read_json(record)
    return Model(str(path), tuple(found["labels"]), path.name, True, found["encoder"])


def _published(folder: Path) -> list[int]:
    """Numbers of the versions in a folder, ascending; a run's are not meant."""
    numbers = Versions(folder).published()
    return [n for n in numbers if (folder / str(n) / "saved_model.pb").is_file()]


def load_model(model: Model) -> Any:
    """Loads a model, with a method `predict` as that of `Classifier`."""
    if model.served:
        return ServedModel(model)
    from kerasclf.classifier import Classifier

    return Classifier.load(model.path)


class ServedModel:
    """A SavedModel's `serving_default` as a function of strings."""

    def __init__(self, model: Model):
        """Loads the SavedModel."""
        import tensorflow as tf

        if model.encoder != "bytes":
            import tensorflow_text  # noqa: F401  registers the ops of tokenizers
        self._labels = model.labels
        self._loaded = tf.saved_model.load(model.path)
        self._answer = self._loaded.signatures["serving_default"]

    def predict(self, texts: list[str]) -> pd.DataFrame:
        """Labels n texts; the frame is that of `Classifier.predict`."""
        import tensorflow as tf

        from kerasclf.classifier import batch_by_length, describe_decisions

        encoded = [text.encode("utf-8", "replace") for text in texts]
        decided = np.zeros(len(encoded), dtype=np.int64)
        review = np.zeros(len(encoded), dtype=bool)
        probabilities = np.zeros((len(encoded), len(self._labels)))
        for rows in batch_by_length(encoded):
            found = self._answer(text=tf.constant([encoded[i] for i in rows]))
            decided[rows] = found["class_id"].numpy()
            review[rows] = found["review"].numpy()
            probabilities[rows] = found["probabilities"].numpy()
        return describe_decisions(self._labels, decided, probabilities, review)
