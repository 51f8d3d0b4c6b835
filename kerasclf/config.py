"""The configuration of a run: every training option, from the command line or from YAML."""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_type_hints

import tyro

from kerasclf.encoders import describe_defaults, find_encoder
from kerasclf.errors import UserError
from kerasclf.files import FORMAT, check_format, table_name
from kerasclf.yaml_options import convert, read_yaml, to_yaml

# Options of which `TrainConfig.resolved` replaces None, or `prepare_job`, which takes max_bytes and
# BY_ROWS from the training rows; all code but the command line reads them from the configuration
# of a job.
if TYPE_CHECKING:
    ResolvedInt = int
    ResolvedFloat = float
    ResolvedStr = str
else:
    ResolvedInt = int | None
    ResolvedFloat = float | None
    ResolvedStr = str | None

RUNS = tyro.conf.arg(name="runs", aliases=("--output",))
"""Calls an option --runs. It was --output, which elsewhere names what a command writes."""

DEFAULT_DATA_SET = "chat-language"

WIDTH = "(default: 98th percentile of the training texts, from 64 to 512)"

BY_ROWS = ("epochs", "patience")
"""Options whose defaults depend on the number of training rows, if the encoder needs many steps."""
RECIPES = ("keyboard", "ocr", "character", "word", "tfidf", "lexicon", "back-translation")
"""Names that --augment takes."""
NEED_RECIPE = {"lexicon": "lexicon", "back_translation": "back-translation"}
"""Options that name the file of a recipe, and the recipe that reads it."""
MOST_WEIGHT = 1000
"""Largest weight of a source."""
DATA, AUGMENT = "--data FILE", "--augment RECIPE"
"""What options need to have an effect."""


def option(
    default: Any,
    between: tuple[float, float] | None = None,
    *,
    searchable: bool = False,
    needs: str | None = None,
) -> Any:
    """Declares a training option; the docstring below its field is its help.

    Args:
        default: default value; None for a value that `TrainConfig.resolved` fills in.
        between: lowest and highest value.
        searchable: whether `kerasclf search` may choose its value.
        needs: DATA or AUGMENT, without which a value other than the default is an error.
    """
    return field(
        default=default, metadata={"between": between, "searchable": searchable, "needs": needs}
    )


def encoder_default(name: str) -> Any:
    """Shows in `--help` that the default of an option depends on the encoder."""
    return tyro.conf.arg(help_behavior_hint=f"(default: {describe_defaults(name)})")


@dataclass
class TrainConfig:
    """The configuration of a run. `resolved` fills in values of None."""

    dataset: str | None = None
    """Name of a data set (see `kerasclf datasets`); without --data, chat-language."""
    data: Path | None = None
    """Table of texts and labels (CSV, TSV, JSON, Excel, Parquet, Feather, ORC)."""
    validation: Path | None = option(None, needs=DATA)
    """Table of validation rows; otherwise they are split off --data."""
    test: Path | None = option(None, needs=DATA)
    """Table of test rows; otherwise they are split off --data."""
    text_column: str = option("text", needs=DATA)
    """Column of the texts."""
    label_column: str = option("label", needs=DATA)
    """Column of the labels."""
    group_column: str | None = option(None, needs=DATA)
    """Column of groups, such as authors or threads, that must not straddle splits."""
    split_column: str | None = option(None, needs=DATA)
    """Column that assigns each row to train, validation or test."""
    source_column: str | None = option(None, needs=DATA)
    """Column of where a row comes from, such as manual or synthetic; the report has the figures of
    each source."""
    measure_on: tuple[str, ...] = option((), needs=DATA)
    """Sources of all validation and test rows; rows of other sources are only trained on."""
    source_weights: tuple[str, ...] = option((), needs=DATA, searchable=True)
    """Weights of rows in training by their source, such as manual=1 synthetic=0.3 (default: 1)."""
    slice_column: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = option((), needs=DATA)
    """Column whose values the report has figures of; may be repeated."""
    corrections: Path | None = None
    """Table of corrected labels, as kerasclf review exports it; the split stays as it is."""
    correct_test: bool = False
    """Apply corrections to test rows, too; figures can then not be compared with those before."""
    encoding: str = option("utf-8", needs=DATA)
    """Encoding of CSV, TSV and JSON files; one that is not UTF-8 is recognized."""
    delimiter: str | None = option(None, needs=DATA)
    """Character between the cells of CSV files (default: found in the first line)."""
    sheet: str | None = option(None, needs=DATA)
    """Sheet of Excel workbooks, its name or its number from 1 (default: the first)."""
    header: bool = option(True, needs=DATA)
    """Whether the first row of CSV, TSV and Excel files names the columns; else their names are
    their numbers, from 1."""
    label_order: tuple[str, ...] = option((), needs=DATA)
    """Labels from lowest to highest, if they are ordered."""
    min_class_rows: int | None = None
    """Leave out classes with fewer rows."""
    group_templates: bool = False
    """Keep texts that differ in one word only in one split."""

    split: Path | None = None
    """Run whose split to use again, so that both runs are measured on the same test rows."""
    validation_share: float = option(0.1, (0.01, 0.5))
    """Share of the rows used for validation."""
    test_share: float = option(0.2, (0.01, 0.8))
    """Share of the rows used for the test."""
    seed: int = option(0, (0, 2**31 - 1))
    """Seed of the split, augmentation, initial weights, row order, dropout and bootstrap."""

    encoder: str = option("bytes", searchable=True)
    """bytes, linear (no network), or a pretrained encoder: a KerasHub preset, hf://REPOSITORY or
    FOLDER."""
    linear: Literal["none", "tfidf"] = option("tfidf", searchable=True)
    """Linear part beside the network: a logistic regression on TF-IDF of n-grams, or none.
    Validation rows decide how both are weighted, and whether both are kept."""
    linear_terms: int = option(14000, (16, 2**20), searchable=True)
    """N-grams of the linear part."""
    linear_c: float = option(3.0, (1e-4, 1e4), searchable=True)
    """Inverse of the penalty on the weights of the linear part."""
    max_bytes: Annotated[ResolvedInt, tyro.conf.arg(help_behavior_hint=WIDTH)] = option(
        None, (8, 65536), searchable=True
    )
    """UTF-8 bytes of a text that the bytes encoder and the linear part read."""
    max_tokens: int = option(96, (8, 8192), searchable=True)
    """Tokens of a text that a pretrained encoder reads."""
    freeze_layers: int = option(0, (0, 1000), searchable=True)
    """Lowest layers of a pretrained encoder that are not trained; above 0, its embeddings are not
    trained either."""
    buckets: int = option(32768, (64, 2**22 - 1), searchable=True)
    """Rows of the bytes encoder's embedding table of hashed n-grams."""
    embedding_dim: int = option(24, (1, 4096), searchable=True)
    """Width of that table."""
    filters: int = option(32, (1, 4096), searchable=True)
    """Filters of each convolution of the bytes encoder."""
    towers: int = option(1, (1, 64), searchable=True)
    """Copies of the bytes encoder that are trained side by side and averaged."""
    dropout: Annotated[ResolvedFloat, encoder_default("dropout")] = option(
        None, (0.0, 0.95), searchable=True
    )
    """Dropout rate before the logits."""

    sampler: Literal["natural", "sqrt", "balanced"] = option("natural", searchable=True)
    """Class shares in each batch: as in the data, proportional to their square roots, or equal."""
    class_weights: Annotated[ResolvedStr, encoder_default("class_weights")] = option(
        None, searchable=True
    )
    """none, balanced, effective, or a JSON FILE {label: weight}; with --balance-classes the
    default is none."""
    loss: str = option("focal", searchable=True)
    """Name of the training loss."""
    focal_gamma: Annotated[ResolvedFloat, encoder_default("focal_gamma")] = option(
        None, (0.0, 10.0), searchable=True
    )
    """Focusing parameter of the focal loss; 0 is cross-entropy."""
    label_smoothing: Annotated[ResolvedFloat, encoder_default("label_smoothing")] = option(
        None, (0.0, 0.9), searchable=True
    )
    """Share of the target that is spread evenly over all classes."""
    augment: str = "none"
    """none, or comma-separated recipes that create new training rows: keyboard, ocr, character,
    word, tfidf, lexicon, back-translation."""
    augment_ratio: float = option(0.5, (0.01, 20.0), needs=AUGMENT)
    """New rows per training row."""
    balance_classes: bool = option(False, needs=AUGMENT)
    """Give new rows to the smallest classes first, until all classes are equal."""
    lexicon: Path | None = None
    """CSV without a header and with two columns, such as slang,formal, for the recipe lexicon."""
    lexicon_encoding: str = "utf-8"
    """Encoding of the lexicon."""
    back_translation: Path | None = None
    """UTF-8 CSV without a header and with two columns, text,back-translation, for that recipe."""
    epochs: Annotated[ResolvedInt, encoder_default("epochs")] = option(
        None, (1, 100_000), searchable=True
    )
    """Maximum number of passes over the training rows."""
    patience: Annotated[ResolvedInt, encoder_default("patience")] = option(
        None, (1, 100_000), searchable=True
    )
    """Epochs without a better validation macro-F1 after which training stops."""
    batch_size: Annotated[ResolvedInt, encoder_default("batch_size")] = option(
        None, (1, 65536), searchable=True
    )
    """Rows per training step."""
    learning_rate: Annotated[ResolvedFloat, encoder_default("learning_rate")] = option(
        None, (1e-8, 10.0), searchable=True
    )
    """Peak learning rate."""
    weight_decay: float = option(0.01, (0.0, 10.0), searchable=True)
    """Decoupled weight decay of AdamW."""
    warmup_share: float = option(0.1, (0.0, 1.0), searchable=True)
    """Share of the steps over which the learning rate warms up."""
    clip_norm: float = option(1.0, (1e-6, 1e6), searchable=True)
    """Maximum global norm of the gradient."""
    mixed_precision: bool = option(False, searchable=True)
    """Train in 16-bit precision (float16 on a GPU, otherwise bfloat16)."""
    jit_compile: bool = False
    """Compile the training step with XLA, once per batch shape; on one device only."""

    cost_matrix: Path | None = None
    """JSON FILE {true label: {predicted label: cost}}; decisions then minimize expected cost."""
    review_below: float | None = option(None, (0.0, 1.0))
    """Flag predictions with a lower probability for human review."""
    target: tuple[str, ...] = ()
    """Targets that the report compares the test metrics with, such as "macro_f1>=0.80" (default:
    those of the data set, if it has any)."""

    name: ResolvedStr = option(None)
    """Name of the run; default: the data set's name."""
    output: Annotated[Path, RUNS] = Path("runs")
    """Folder of all runs; this one is written to FOLDER/NAME/N."""

    def resolved(self) -> Self:
        """The configuration with every default that depends on other options filled in.

        Those that depend on the data are filled in by `kerasclf.job.defaults.fit_to_data`.
        """
        encoder = find_encoder(self.encoder)
        defaults = dict(encoder.defaults)
        if encoder.least_steps:
            # They depend on the number of rows, as max_bytes on their length.
            defaults = {key: defaults[key] for key in defaults if key not in BY_ROWS}
        if self.balance_classes:
            # The new rows already correct the imbalance; weights would correct it twice.
            defaults["class_weights"] = "none"
        absent = {key: value for key, value in defaults.items() if getattr(self, key) is None}
        dataset = self.dataset or (None if self.data else DEFAULT_DATA_SET)
        name = self.name or dataset or table_name(Path(self.data or ""))
        # Absolute paths, so that the configuration works from any folder.
        files = ("data", "validation", "test", "split", "cost_matrix", *NEED_RECIPE)
        places = {key: path.absolute() for key in files if (path := getattr(self, key))}
        for key in ("encoder", "class_weights"):
            value = getattr(self, key)
            if value and Path(value).exists():
                places[key] = str(Path(value).absolute())
        return replace(self, **absent, **places, dataset=dataset, name=name)

    def without_network(self) -> Self:
        """The configuration of the linear part alone."""
        of_network = set(find_encoder(self.encoder).defaults) - {"class_weights"}
        values: dict[str, Any] = {"encoder": "linear", **dict.fromkeys(of_network)}
        return replace(self, **values)

    def check(self) -> None:
        """Checks everything that can be checked without reading data.

        Raises:
            UserError: a value is out of range, or values exclude each other.
            UnsupportedError: the encoder needs a package that is not installed.
        """
        find_encoder(self.encoder).check_installed()
        if self.data and self.dataset:
            raise UserError(f"found --data {self.data} and --dataset {self.dataset}; give only one")
        present = {DATA: bool(self.data), AUGMENT: bool(self.recipes)}
        for declared in fields(TrainConfig):
            value, flag = getattr(self, declared.name), f"--{declared.name.replace('_', '-')}"
            needs = declared.metadata.get("needs")
            if needs and not present[needs] and value != declared.default:
                raise UserError(f"{flag} needs {needs}")
            if (between := declared.metadata.get("between")) and value is not None:
                low, high = between
                if not low <= value <= high:
                    raise UserError(f"{flag} is {value}; expected {low} to {high}")
        if self.correct_test and not self.corrections:
            raise UserError("--correct-test needs --corrections FILE")
        if self.freeze_layers and find_encoder(self.encoder).kind != "tokens":
            raise UserError("--freeze-layers needs an --encoder that is pretrained")
        for name in ("measure_on", "source_weights"):
            if getattr(self, name) and not self.source_column:
                raise UserError(f"--{name.replace('_', '-')} needs --source-column COLUMN")
        self.weight_by_source  # noqa: B018  (raises if a weight is wrong)
        if not self.has_network:
            self._check_linear()
        self._check_augment()
        if self.validation_share + self.test_share > 0.9:
            raise UserError("--validation-share and --test-share leave less than 10 % for training")
        name = self.name
        if name and (Path(name).name != name or name[0] == "." or not name.isprintable()):
            raise UserError(
                f"--name is {name!r}; expected a plain name without slashes and line breaks"
            )

    def _check_linear(self) -> None:
        """Checks the options of a model without a network."""
        for name in find_encoder("bytes").defaults:
            if name != "class_weights" and getattr(self, name) is not None:
                flag = f"--{name.replace('_', '-')}"
                raise UserError(f"{flag} trains a network, and --encoder linear has none; drop it")

    @property
    def has_network(self) -> bool:
        """Whether a network is trained."""
        return find_encoder(self.encoder).is_network

    @property
    def has_linear_part(self) -> bool:
        """Whether a linear part is trained."""
        return self.linear != "none" or not self.has_network

    @property
    def weight_by_source(self) -> dict[str, float]:
        """The weights in `source_weights`.

        Raises:
            UserError: they are not SOURCE=WEIGHT with weights from 0 to 1000.
        """
        weights: dict[str, float] = {}
        for entry in self.source_weights:
            source, _, text = entry.rpartition("=")
            try:
                weight = float(text)
            except ValueError:
                weight = math.nan
            if not source or not 0 <= weight <= MOST_WEIGHT or source in weights:
                raise UserError(
                    f"--source-weights has {entry!r}; expected SOURCE=WEIGHT once for a source, "
                    f"with a weight from 0 to {MOST_WEIGHT}"
                )
            weights[source] = weight
        return weights

    @property
    def recipes(self) -> tuple[str, ...]:
        """The names in `augment`."""
        return () if self.augment == "none" else tuple(self.augment.split(","))

    def _check_augment(self) -> None:
        unknown = [name for name in self.recipes if name not in RECIPES]
        if unknown or len(set(self.recipes)) < len(self.recipes):
            raise UserError(
                f"--augment is {self.augment!r}; expected none, or some of {', '.join(RECIPES)}, "
                "each once and separated by commas"
            )
        for name, recipe in NEED_RECIPE.items():
            flag = f"--{name.replace('_', '-')}"
            if recipe in self.recipes and not getattr(self, name):
                raise UserError(f"--augment {recipe} needs {flag} FILE")
            if getattr(self, name) and recipe not in self.recipes:
                raise UserError(f"{flag} needs --augment {recipe}")
        if self.lexicon_encoding != TrainConfig.lexicon_encoding and not self.lexicon:
            raise UserError("--lexicon-encoding needs --lexicon FILE")

    def to_yaml(self) -> str:
        """The configuration as YAML that `from_yaml` reads back."""
        return to_yaml({"format": FORMAT, **asdict(self)})

    @classmethod
    def from_yaml(cls, path: Path) -> Self:
        """Reads a configuration file; absent keys keep their defaults.

        Raises:
            UserError: the file is missing, is not YAML, or has an unknown key or a wrong value.
        """
        loaded = read_yaml(path, "--config") or {}
        if not isinstance(loaded, dict):
            raise UserError(
                f"--config {path} holds {type(loaded).__name__}; expected lines such as epochs: 3"
            )
        if "format" in loaded:
            check_format(path, loaded.pop("format"))
            # A run of version 0.1, which had no linear part.
            loaded.setdefault("linear", "none")
        if unknown := sorted(map(str, set(loaded) - {declared.name for declared in fields(cls)})):
            raise UserError(
                f"--config {path} has {unknown[0]!r}; expected keys such as encoder, epochs"
            )
        hints, source = get_type_hints(cls), f"--config {path}"
        values = {key: convert(key, hints[key], value, source) for key, value in loaded.items()}
        return cls(**values)
