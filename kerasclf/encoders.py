"""The encoders that `--encoder` selects, described without importing TensorFlow.

Adding an encoder takes a module and an entry in `ENCODERS`. The module defines

    load_featurizer(folder: Path) -> Featurizer

and, if it `is_network`,

    build(config: TrainConfig, num_classes: int) -> tuple[Featurizer, keras.Model]

and, if `compressible`, the core alone for either Keras,

    build_core(config: TrainConfig, num_classes: int, library: ModuleType = keras) -> keras.Model
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from kerasclf.extras import check_installed


@dataclass(frozen=True)
class Encoder:
    """What is known of an encoder before it is built.

    Attributes:
        kind: name of its featurizer in a run's featurizer.json.
        path: import path of its module.
        defaults: default values of the training options that depend on the encoder.
        max_length: training option that bounds how much of a text is read.
        reads_bytes: whether exported files take UTF-8 bytes; else they take token ids, which
            devices and browsers have no tokenizer for.
        is_network: whether its core is trained by gradient descent; else there is no core but the
            linear part.
        least_steps: training steps below which few rows are passed over more often than `defaults`
            say; 0 if the number of epochs does not depend on the number of rows.
        enough_steps: training steps above which many rows are passed over less often than
            `defaults` say, but twice.
        least_steps_frozen: `least_steps` if layers are frozen: the others need more steps then,
            each of which is cheap, and none are enough.
        compressible: whether pruning, clustering and quantization-aware training can rebuild its
            core in tf_keras.
    """

    kind: str
    path: str
    defaults: Mapping[str, Any]
    max_length: str
    reads_bytes: bool = True
    is_network: bool = True
    least_steps: int = 0
    enough_steps: int = 0
    least_steps_frozen: int = 0
    compressible: bool = False

    def check_installed(self) -> None:
        """Checks that the packages it needs are installed.

        Raises:
            UnsupportedError: one is not.
        """
        if self.kind == "tokens":
            check_installed("keras_hub", "keras-nlp", "pretrained")

    def module(self) -> ModuleType:
        """Its module; importing it imports TensorFlow."""
        return import_module(self.path)


ENCODERS: dict[str, Encoder] = {
    "bytes": Encoder(
        kind="bytes",
        path="kerasclf.models.bytes_encoder",
        defaults={
            "epochs": 6,
            "patience": 3,
            "batch_size": 64,
            "learning_rate": 3e-3,
            "dropout": 0.3,
            "class_weights": "effective",
            "focal_gamma": 0.0,
            "label_smoothing": 0.05,
        },
        max_length="max_bytes",
        compressible=True,
    ),
    "pretrained": Encoder(
        kind="tokens",
        path="kerasclf.models.pretrained",
        defaults={
            "epochs": 4,
            "patience": 2,
            "batch_size": 32,
            "learning_rate": 1.5e-4,
            "dropout": 0.1,
            "class_weights": "balanced",
            "focal_gamma": 1.0,
            "label_smoothing": 0.0,
        },
        max_length="max_tokens",
        reads_bytes=False,
        least_steps=100,
        enough_steps=250,
        least_steps_frozen=300,
    ),
    "linear": Encoder(
        kind="ngrams",
        path="kerasclf.linear.encoder",
        defaults={"class_weights": "balanced"},
        max_length="max_bytes",
        is_network=False,
    ),
}
"""By the value of `--encoder`; every other value names a pretrained encoder."""

NETWORK, LINEAR = "network", "linear"
"""Names of the parts of a model that consists of both."""


def find_encoder(name: str) -> Encoder:
    """The encoder that a value of `--encoder` names."""
    return ENCODERS.get(name, ENCODERS["pretrained"])


def describe_defaults(option: str) -> str:
    """The defaults of an option by encoder, for `--help`: "bytes 0.3, pretrained 0.1"."""
    return ", ".join(
        f"{name} {encoder.defaults[option]:g}"
        if isinstance(encoder.defaults[option], float)
        else f"{name} {encoder.defaults[option]}"
        for name, encoder in ENCODERS.items()
        if option in encoder.defaults
    )
