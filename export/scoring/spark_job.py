"""Labels files on Apache Spark: one job, whose result appears once every row is in it."""

import os
import shutil
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.scoring.batch import BatchResult, RowCounts
from export.scoring.labelling import VERSION
from export.scoring.model import find_model
from export.scoring.spark_source import Source, read_source
from kerasclf.console import quiet_imports, say_status
from kerasclf.errors import UnsupportedError, UserError
from kerasclf.extras import check_installed
from kerasclf.prediction import check_names_are_free, name_columns
from kerasclf.spark import DETAIL, REASON, TEXT, expand, make_udf, read_model

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

OUTCOME, LABELLED, DEAD_LETTER = "outcome", "labelled", "dead_letter"
"""Column by which the output is partitioned, and its values."""


def label_on_spark(
    model: Path,
    pattern: str,
    output: str,
    text_column: str,
    overwrite: bool,
    master: str,
    has_names: bool,
    prefix: str,
) -> BatchResult:
    """Labels the rows of tables on Spark.

    Args:
        model: folder of a run.
        pattern: path or pattern of tables with the same columns, as Spark reads it.
        output: folder to write, in which outcome=labelled and outcome=dead_letter hold Parquet.
        text_column: column of the texts.
        overwrite: whether to replace the folder once the new one is complete.
        master: URL of the master, such as spark://HOST:7077 or local[2].
        has_names: whether the first row of CSV and TSV files names the columns.
        prefix: put before the names of the added columns.

    Raises:
        UserError: input, output, model or options are wrong; nothing was written.
        UnsupportedError: PySpark or Java is not installed.
        RuntimeError: the job failed, or rows were lost; nothing was written.
    """
    check_installed("pyspark", "PySpark", "spark")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise UnsupportedError("Spark needs Java 17 or 21; install it, or set JAVA_HOME")
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions

    description = find_model(model)
    if description.served:
        raise UserError(f"{model} is a SavedModel; give a run")
    content = read_model(description.path)
    spark = _start_session(master)
    start = time.perf_counter()
    try:
        source = read_source(spark, pattern, text_column, has_names)
        folder = OutputFolder(spark, output)
        if folder.exists() and not overwrite:
            raise UserError(f"{output} already exists; give another --output, or --overwrite")
        columns = _name_columns(source, description.labels, text_column, prefix, pattern)
        labelled = _label(source, make_udf(spark, content, source.read), columns)
        labelled = labelled.withColumn(prefix + VERSION, functions.lit(description.version))
        counts = folder.write(labelled, source, pattern)
    except AnalysisException as error:
        raise UserError(f"--input {pattern}: {str(error).splitlines()[0]}") from error
    except Py4JError as error:
        causes = [
            line for line in str(error).splitlines() if "Exception" in line or "Error" in line
        ]
        raise RuntimeError(f"the job failed and nothing was written: {causes[-1]}") from error
    finally:
        spark.stop()
    seconds = time.perf_counter() - start
    return BatchResult(description.path, description.version, counts, seconds, [output])


def _cause(error: Exception) -> str:
    """The line of a Java error with its stack that says most."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("Caused by") or "Error: " in line]
    return (causes or lines or [type(error).__name__])[-1]


def _start_session(master: str) -> "SparkSession":
    """Starts Spark, whose executors run the Python of this process unless PYSPARK_PYTHON is set."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    say_status(f"starting Spark on {master}")
    # The virtual machine writes its warnings to stderr as long as it runs.
    with quiet_imports("Spark"):
        return SparkSession.builder.master(master).appName("kerasclf batch").getOrCreate()


def _name_columns(
    source: Source, labels: tuple[str, ...], text_column: str, prefix: str, pattern: str
) -> dict[str, str]:
    """Names of the added columns by what they hold.

    Raises:
        UserError: the input has one of them.
    """
    columns = {name: prefix + name for name in name_columns(labels)}
    if not source.has_text:
        columns[TEXT] = text_column
    columns |= {REASON: REASON, DETAIL: DETAIL}
    added = {*columns.values(), prefix + VERSION, OUTCOME}
    check_names_are_free(pattern, source.frame.columns, added)
    return columns


def _label(source: Source, udf: Any, columns: dict[str, str]) -> "DataFrame":
    from pyspark.sql import functions

    labelled = expand(source.frame, udf(source.cells), columns)
    is_labelled = functions.when(labelled[REASON].isNull(), LABELLED)
    return labelled.withColumn(OUTCOME, is_labelled.otherwise(DEAD_LETTER))


class OutputFolder:
    """A folder on a file system of Hadoop that appears when all rows are in it."""

    def __init__(self, spark: "SparkSession", path: str):
        """Creates the description of a folder."""
        self._spark, self._path = spark, path
        self._hadoop = spark.sparkContext._jvm.org.apache.hadoop.fs
        configuration = spark.sparkContext._jsc.hadoopConfiguration()
        self._system = self._hadoop.Path(path).getFileSystem(configuration)

    def exists(self) -> bool:
        """Whether there is something of that name."""
        return bool(self._system.exists(self._hadoop.Path(self._path)))

    def write(self, labelled: "DataFrame", source: Source, pattern: str) -> RowCounts:
        """Writes labelled rows and dead letters, checks their number, and replaces the folder.

        Args:
            labelled: the rows, with their outcome.
            source: the rows before.
            pattern: of the input, for messages.

        Raises:
            UserError: there are no rows.
            RuntimeError: rows were lost or doubled.
        """
        rows = source.frame.count()
        if not rows:
            raise UserError(f"--input {pattern} has no rows; expected at least one")
        parent, _, name = self._path.rstrip("/").rpartition("/")
        beside = f"{parent or '.'}/.{name}.{uuid.uuid4().hex[:8]}.partial"
        place, partial = self._hadoop.Path(self._path), self._hadoop.Path(beside)
        try:
            labelled.write.partitionBy(OUTCOME).parquet(beside)
            counted = self._spark.read.parquet(beside).groupBy(OUTCOME, REASON).count().collect()
            dead = {row[REASON]: row["count"] for row in counted if row[OUTCOME] == DEAD_LETTER}
            written = sum(row["count"] for row in counted if row[OUTCOME] == LABELLED)
            counts = RowCounts.check(rows, written, dead)
            if self.exists():
                self._system.delete(place, True)
            if not self._system.rename(partial, place):
                raise RuntimeError(f"{beside} could not be renamed to {self._path}")
        finally:
            self._system.delete(partial, True)
        return counts
