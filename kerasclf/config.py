"""The main job's configuration: every choice of a run, from the command line or from YAML."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from kerasclf.errors import UserError

DEFAULT_DATA_SET = "chat-language"
NEED_DATA = (
    *("validation", "test", "text_column", "label_column", "group_column", "split_column"),
    *("encoding", "label_order"),
)
"""Options that say nothing without a file of the user's."""

RECIPES = ("keyboard", "ocr", "character", "word", "tfidf", "lexicon", "back-translation")
"""What --augment takes."""
NEED_RECIPE = {"lexicon": "lexicon", "back_translation": "back-translation"}
"""Options that name what a recipe needs, and that say nothing without it."""

BYTES_DEFAULTS = {
    "epochs": 6,
    "patience": 3,
    "batch_size": 64,
    "learning_rate": 3e-3,
    "dropout": 0.3,
    "class_weights": "effective",
    "focal_gamma": 0.0,
    "label_smoothing": 0.05,
}
PRETRAINED_DEFAULTS = {
    "epochs": 4,
    "patience": 2,
    "batch_size": 32,
    "learning_rate": 1.5e-4,
    "dropout": 0.1,
    "class_weights": "balanced",
    "focal_gamma": 1.0,
    "label_smoothing": 0.0,
}


@dataclass
class TrainConfig:
    """Every choice of a run. A value of None is filled in by `resolved`."""

    dataset: str | None = None
    """A data set by name (see `kerasclf datasets`); chat-language if no data is named."""
    data: Path | None = None
    """Table of texts and labels (CSV, TSV, JSONL, Parquet)."""
    validation: Path | None = None
    """Table of validation rows; else they are cut from --data."""
    test: Path | None = None
    """Table of test rows; else they are cut from --data."""
    text_column: str = "text"
    """Column with the texts."""
    label_column: str = "label"
    """Column with the labels."""
    group_column: str | None = None
    """Column that names rows which must not straddle splits (an author, a thread)."""
    split_column: str | None = None
    """Column that says train, validation or test."""
    encoding: str = "utf-8"
    """Encoding of CSV, TSV and JSONL."""
    label_order: tuple[str, ...] = ()
    """Labels from least to most, where their order means something."""
    min_class_rows: int | None = None
    """Leave out classes with fewer rows."""

    split: Path | None = None
    """Run whose split is used again, so that both runs are measured on the same test rows."""
    validation_share: float = 0.1
    """Share of the rows for validation."""
    test_share: float = 0.2
    """Share of the rows for the test."""
    seed: int = 0
    """Seed of the split, new rows, the weights, the order of rows, dropout and the bootstrap."""

    encoder: str = "bytes"
    """bytes, or a KerasHub preset, hf://REPOSITORY or FOLDER."""
    max_bytes: int = 256
    """Bytes of a text that the bytes encoder reads."""
    max_tokens: int = 96
    """Tokens of a text that a pretrained encoder reads."""
    buckets: int = 32768
    """Rows of the bytes encoder's table of hashed n-grams."""
    embedding_dim: int = 24
    """Width of that table."""
    filters: int = 32
    """Filters of each of the bytes encoder's convolutions."""
    towers: int = 1
    """Copies of the bytes encoder that learn side by side; the logits are their mean."""
    dropout: float | None = None
    """Dropout before the logits (bytes 0.3, pretrained 0.1)."""

    sampler: Literal["natural", "sqrt", "balanced"] = "natural"
    """Class shares in every batch: as they are, by square root, or equal."""
    class_weights: str | None = None
    """none, balanced, effective, or a JSON FILE of label: weight (bytes effective, pretrained
    balanced, with --balance-classes none)."""
    focal_gamma: float | None = None
    """Focusing of the focal loss; 0 is cross-entropy (bytes 0, pretrained 1)."""
    label_smoothing: float | None = None
    """Share of the target that is spread over all classes (bytes 0.05, pretrained 0)."""
    augment: str = "none"
    """none, or recipes with commas between, by which new training rows are made of old ones:
    keyboard, ocr, character, word, tfidf, lexicon, back-translation."""
    augment_ratio: float = 0.5
    """New rows for each training row."""
    balance_classes: bool = False
    """Small classes get the new rows first, until all classes are equal."""
    lexicon: Path | None = None
    """CSV of two columns without a header, such as slang,formal, for the recipe lexicon."""
    lexicon_encoding: str = "utf-8"
    """Encoding of the lexicon."""
    back_translation: Path | None = None
    """CSV of two columns without a header, text,back-translated text, in UTF-8, for that recipe."""
    epochs: int | None = None
    """Most passes over the training rows (bytes 6, pretrained 4)."""
    patience: int | None = None
    """Epochs without a better validation macro-F1 before training stops (bytes 3, pretrained 2)."""
    batch_size: int | None = None
    """Rows a step (bytes 64, pretrained 32)."""
    learning_rate: float | None = None
    """Highest learning rate (bytes 3e-3, pretrained 1.5e-4)."""
    weight_decay: float = 0.01
    """Decoupled weight decay of AdamW."""
    warmup_share: float = 0.1
    """Share of the steps with a rising learning rate."""
    clip_norm: float = 1.0
    """Largest global norm of the gradient."""
    mixed_precision: bool = False
    """Compute in 16 bits (float16 on a GPU, bfloat16 elsewhere)."""
    jit_compile: bool = False
    """Compile the training step with XLA, once for each shape of a batch; for one device."""

    cost_matrix: Path | None = None
    """JSON FILE {true label: {predicted label: cost}}; the decision then has the lowest cost."""
    review_below: float | None = None
    """Flag predictions whose probability is lower, for a person to review."""
    target: tuple[str, ...] = ("accuracy>=0.85", "macro_f1>=0.80", "latency_p99_ms<100")
    """Targets that the report compares the test figures with."""

    name: str | None = None
    """Name of the run; that of the data if none is given."""
    output: Path = Path("runs")
    """Folder of all runs; this one goes to OUTPUT/NAME/N."""

    def resolved(self) -> Self:
        """The configuration with every value that depends on others filled in."""
        defaults = BYTES_DEFAULTS if self.encoder == "bytes" else PRETRAINED_DEFAULTS
        if self.balance_classes:
            # New rows then make up for the imbalance; weights would do so once more.
            defaults = {**defaults, "class_weights": "none"}
        absent = {key: value for key, value in defaults.items() if getattr(self, key) is None}
        dataset = self.dataset or (None if self.data else DEFAULT_DATA_SET)
        name = self.name or dataset or self.data.stem
        # Absolute, so that the configuration means the same in another folder.
        files = ("data", "validation", "test", "split", "cost_matrix", *NEED_RECIPE)
        places = {key: path.absolute() for key in files if (path := getattr(self, key))}
        for key in ("encoder", "class_weights"):
            value = getattr(self, key)
            if value and Path(value).exists():
                places[key] = str(Path(value).absolute())
        return replace(self, **absent, **places, dataset=dataset, name=name)

    def check(self) -> None:
        """Checks what can be checked without reading data.

        Raises:
            UserError: values that exclude each other or are out of range.
        """
        if self.data and self.dataset:
            raise UserError(f"--data {self.data} and --dataset {self.dataset}: give only one")
        if not self.data:
            default = TrainConfig()
            for name in NEED_DATA:
                if getattr(self, name) != getattr(default, name):
                    raise UserError(f"--{name.replace('_', '-')} needs --data FILE")
        self._check_augment()
        ranges = {
            "augment_ratio": (0.01, 20.0),
            "validation_share": (0.01, 0.5),
            "test_share": (0.01, 0.8),
            "max_bytes": (8, 65536),
            "max_tokens": (8, 8192),
            "buckets": (64, 2**22 - 1),
            "embedding_dim": (1, 4096),
            "filters": (1, 4096),
            "towers": (1, 64),
            "dropout": (0.0, 0.95),
            "focal_gamma": (0.0, 10.0),
            "label_smoothing": (0.0, 0.9),
            "epochs": (1, 100_000),
            "patience": (1, 100_000),
            "batch_size": (1, 65536),
            "learning_rate": (1e-8, 10.0),
            "weight_decay": (0.0, 10.0),
            "warmup_share": (0.0, 1.0),
            "clip_norm": (1e-6, 1e6),
            "review_below": (0.0, 1.0),
            "seed": (0, 2**31 - 1),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                option = name.replace("_", "-")
                raise UserError(f"--{option} is {value}; expected {low} to {high}")
        if self.validation_share + self.test_share > 0.9:
            raise UserError("--validation-share and --test-share leave under 10 % for training")
        if self.name and (Path(self.name).name != self.name or self.name.startswith(".")):
            raise UserError(f"--name is {self.name!r}; expected a plain name without slashes")

    @property
    def recipes(self) -> tuple[str, ...]:
        """The names in `augment`."""
        return () if self.augment == "none" else tuple(self.augment.split(","))

    def _check_augment(self) -> None:
        unknown = [name for name in self.recipes if name not in RECIPES]
        if unknown or len(set(self.recipes)) < len(self.recipes):
            raise UserError(
                f"--augment is {self.augment!r}; expected none, or some of {', '.join(RECIPES)}, "
                "each once and with commas between"
            )
        default = TrainConfig()
        for name in ("augment_ratio", "balance_classes"):
            if getattr(self, name) != getattr(default, name) and not self.recipes:
                raise UserError(f"--{name.replace('_', '-')} needs --augment RECIPE")
        for name, recipe in NEED_RECIPE.items():
            option = name.replace("_", "-")
            if recipe in self.recipes and not getattr(self, name):
                raise UserError(f"--augment {recipe} needs --{option} FILE")
            if getattr(self, name) and recipe not in self.recipes:
                raise UserError(f"--{option} needs --augment {recipe}")
        if self.lexicon_encoding != default.lexicon_encoding and not self.lexicon:
            raise UserError("--lexicon-encoding needs --lexicon FILE")

    def to_yaml(self) -> str:
        """The configuration as YAML that `from_yaml` reads back."""
        import yaml

        plain = {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(self).items()
        }
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Reads a configuration file; keys that are not there keep their defaults.

        Raises:
            UserError: the file is missing, is not YAML, or has an unknown key or a wrong value.
        """
        import yaml

        try:
            found: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise UserError(f"cannot read --config {path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeError) as error:
            raise UserError(f"--config {path} is not YAML: {error}") from error
        known = {field.name for field in fields(cls)}
        if not isinstance(found, dict) or (unknown := sorted(map(str, set(found) - known))):
            wrong = unknown[0] if isinstance(found, dict) else type(found).__name__
            raise UserError(f"--config {path} has {wrong!r}; expected keys such as encoder, epochs")
        hints = get_type_hints(cls)
        source = f"--config {path}"
        return cls(**{key: convert(key, hints[key], value, source) for key, value in found.items()})


def convert(key: str, hint: Any, value: Any, source: str) -> Any:
    """A value of a YAML file as the field's type, without guessing.

    Args:
        key: name of the field.
        hint: its type.
        value: what was read.
        source: the file, for the message.

    Raises:
        UserError: it is of another type.
    """
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for kind in kinds:
        if get_origin(kind) is Literal and value in get_args(kind):
            return value
        if get_origin(kind) is tuple and isinstance(value, list):
            if all(isinstance(entry, str) for entry in value):
                return tuple(value)
        elif kind is Path and isinstance(value, str):
            return Path(value)
        elif kind is float and type(value) in (int, float):
            return float(value)
        elif isinstance(kind, type) and type(value) is kind:
            return value
    names = ["null" if kind is NoneType else getattr(kind, "__name__", kind) for kind in kinds]
    raise UserError(
        f"{source} has {key}: {value!r}; expected {' or '.join(names)}"
        + (" (quote it)" if str in kinds or Path in kinds or "tuple" in str(hint) else "")
    )
