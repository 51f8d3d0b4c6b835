"""Labels for columns of Spark data frames, also in Structured Streaming; needs the extra `spark`.

    scored = kerasclf.spark.score(frame, "runs/posts", text_column="text")

The model travels with the job and runs on LiteRT: executors need Python with kerasclf, and neither
TensorFlow nor access to the folder of the run.
"""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kerasclf.data.records import BadRowError
from kerasclf.edge_runtime import EdgeClassifier, read_metadata
from kerasclf.errors import UserError
from kerasclf.extras import check_installed
from kerasclf.light import run_file
from kerasclf.prediction import check_names_are_free, describe_decisions, name_columns
from kerasclf.run.layout import RunLayout

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TEXT, REASON, DETAIL = "text", "reason", "detail"
_STRUCT = "_kerasclf"


def udf(spark: "SparkSession", model: str | Path) -> Any:
    """A pandas UDF that labels a column of texts.

    Args:
        spark: the session.
        model: a finished run that reads bytes, or a .tflite of one.

    Returns:
        A function of a string column that returns a struct: predicted_label string, confidence
        double, review boolean, and p_LABEL double of each label. All are null where the text is.

    Raises:
        UserError: there is no such model, or it reads tokens.
        UnsupportedError: PySpark is not installed.
    """
    return make_udf(spark, read_model(model), None)


def score(
    frame: "DataFrame", model: str | Path, text_column: str = "text", prefix: str = ""
) -> "DataFrame":
    """Adds the columns of `Classifier.predict` to a data frame, streaming ones included.

    Args:
        frame: with a column of strings.
        model: as of `udf`.
        text_column: column of the texts.
        prefix: put before the names of the added columns.

    Raises:
        UserError: as of `udf`, or the frame has no such column or has one of the added ones.
        UnsupportedError: PySpark is not installed.
    """
    if text_column not in frame.columns:
        raise UserError(f"no column {text_column!r}, only {', '.join(frame.columns)}")
    content = read_model(model)
    added = {name: prefix + name for name in name_columns(read_metadata(content)["labels"])}
    check_names_are_free("the frame", frame.columns, added.values(), "prefix='model_'")
    labelled = make_udf(frame.sparkSession, content, None)
    return expand(frame, labelled(frame[quote(text_column)]), added)


def expand(frame: "DataFrame", struct: Any, columns: dict[str, str]) -> "DataFrame":
    """The frame with fields of a struct as columns.

    Args:
        frame: the frame.
        struct: a column of structs.
        columns: names of the new columns by their field.
    """
    whole = frame.withColumn(_STRUCT, struct)
    fields = [whole[_STRUCT].getField(field).alias(name) for field, name in columns.items()]
    return whole.select(*[whole[quote(name)] for name in frame.columns], *fields)


def quote(name: str) -> str:
    """The name of a column as Spark's expressions have it, in which a dot means a field."""
    return f"`{name.replace('`', '``')}`"


def read_model(model: str | Path) -> bytes:
    """The .tflite of a run, or of the given name.

    Raises:
        UserError: there is none, or it reads tokens.
    """
    path = Path(model)
    if path.suffix.lower() != ".tflite":
        layout = RunLayout.open(path)
        path = layout.light
        if not path.is_file():
            raise UserError(
                f"{layout.root} has no {path.name}, which executors run; runs of --encoder bytes "
                "and linear have one, and models that read tokens need TensorFlow"
            )
    try:
        content = path.read_bytes()
        metadata = read_metadata(content)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    if "max_tokens" in metadata:
        raise UserError(f"{path} reads tokens; expected one that reads bytes")
    return content


def make_udf(spark: "SparkSession", content: bytes, read: Callable[[Any], str] | None) -> Any:
    """A pandas UDF that labels a column.

    Args:
        spark: the session.
        content: a .tflite that reads bytes.
        read: turns a cell into a text, or raises `BadRowError`; None if cells are texts, or null.

    Returns:
        A function of a column that returns a struct of the columns of `Classifier.predict`; with
        `read`, also of reason and detail, null for rows that were labelled, and of the text.
    """
    check_installed("pyspark", "PySpark", "spark")
    from pyspark.sql.functions import pandas_udf
    from pyspark.sql.types import BooleanType, DoubleType, StringType, StructField, StructType

    kinds = {"confidence": DoubleType(), "predicted_label": StringType(), "review": BooleanType()}
    names = name_columns(read_metadata(content)["labels"])
    fields = [StructField(name, kinds.get(name, DoubleType())) for name in names]
    if read is not None:
        fields += [StructField(name, StringType()) for name in (TEXT, REASON, DETAIL)]
    shared = spark.sparkContext.broadcast(content)

    def label(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        classifier = _load(shared.value)
        for cells in batches:
            yield _label_cells(classifier, cells, read, names)

    return pandas_udf(label, StructType(fields))


@cache
def _load(content: bytes) -> EdgeClassifier:
    """The model of a Python worker, which labels the rows of many tasks."""
    return EdgeClassifier(content)


def _label_cells(
    classifier: EdgeClassifier,
    cells: pd.Series,
    read: Callable[[Any], str] | None,
    names: list[str],
) -> pd.DataFrame:
    texts: list[str | None] = []
    faults: list[tuple[str | None, str | None]] = []
    for cell in cells:
        try:
            texts.append(read(cell) if read else None if pd.isna(cell) else cell)
            faults.append((None, None))
        except BadRowError as error:
            texts.append(None)
            faults.append((error.reason, error.detail))
    places = [place for place, text in enumerate(texts) if text is not None]
    decided, review, probabilities = run_file(classifier, [t for t in texts if t is not None])
    found = describe_decisions(classifier.labels, decided, probabilities, review)
    found.index = pd.Index(places)
    frame = found.reindex(range(len(texts)))[names]
    frame["review"] = frame["review"].astype("boolean")
    if read:
        frame[TEXT] = pd.Series(texts, dtype=object)
        frame[[REASON, DETAIL]] = pd.DataFrame(faults, dtype=object)
    return frame
