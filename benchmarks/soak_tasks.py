"""The commands that `benchmarks.soak` disturbs, and what must be the same afterwards."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kerasclf.data import chat_language
from kerasclf.files import load_table
from kerasclf.run.layout import RunLayout

LANGUAGES = ("english", "french", "german", "indonesia")
ROWS = 60
"""Rows of each language."""
SMALL = (
    *("--max-bytes=48", "--buckets=512", "--embedding-dim=8", "--filters=8", "--batch-size=16"),
    *("--learning-rate=0.01", "--dropout=0.1"),
)
"""Options of a training that takes seconds."""
STUDENT = "max_bytes: 48\nbuckets: 512\nembedding_dim: 8\nfilters: 8\nepochs: 3\n"


@dataclass(frozen=True)
class Inputs:
    """What all tasks read: made once by `make_inputs`."""

    table: Path
    pile: Path
    space: Path
    student: Path
    run: Path


@dataclass(frozen=True)
class Task:
    """A command that writes into the folder where it is started, or a server.

    Attributes:
        command: its arguments, of the inputs.
        result: digest of what it wrote into a folder, which raises if that is not there; None for
            a server, which ends only when it is told to.
    """

    command: Callable[[Inputs], list[str]]
    result: Callable[[Path], str] | None


def make_inputs(folder: Path) -> Inputs:
    """Writes tables and options, without the run."""
    rows = chat_language.read(chat_language.folder()).drop_duplicates("text")
    rows = rows[rows["label"].isin(LANGUAGES)]
    sampled = rows.groupby("label").sample(ROWS, random_state=0)
    inputs = Inputs(
        table=folder / "posts.csv",
        pile=folder / "pile.csv",
        space=folder / "space.yaml",
        student=folder / "student.yaml",
        run=folder / "runs" / "posts" / "1",
    )
    sampled.to_csv(inputs.table, index=False)
    rows.drop(sampled.index)[["text"]].head(300).to_csv(inputs.pile, index=False)
    inputs.space.write_text("filters: [4, 8, 16]\n", encoding="utf-8")
    inputs.student.write_text(STUDENT, encoding="utf-8")
    return inputs


def train_command(inputs: Inputs) -> list[str]:
    """The training of the run that the other tasks use; also a task itself."""
    return ["train", f"--data={inputs.table}", "--epochs=8", "--patience=8", *SMALL]


def _digest_run(name: str) -> Callable[[Path], str]:
    def digest(folder: Path) -> str:
        layout = RunLayout.open(folder / "runs" / name / "1")
        return _digest(load_table(layout.predictions).to_csv())

    return digest


def _digest_search(folder: Path) -> str:
    place = folder / "runs" / "posts-search"
    board = pd.read_csv(place / "leaderboard.csv").sort_values("trial")
    kept = [name for name in board if name not in ("seconds", "rank", "final_seconds")]
    return _digest(board[kept].to_csv(index=False) + (place / "best.yaml").read_text())


def _digest_published(folder: Path) -> str:
    """The variables of the newest version; a record of each must be there."""
    place = folder / "saved_models" / "posts"
    versions = sorted(int(path.name) for path in place.iterdir() if path.name.isdecimal())
    if missing := [number for number in versions if not (place / f"{number}.json").is_file()]:
        raise FileNotFoundError(f"version {missing[0]} has no record")
    # Names of objects, the order of a set and the states of random generators are others each time.
    import tensorflow as tf

    values = tf.train.load_checkpoint(str(place / str(versions[-1]) / "variables" / "variables"))
    names = [name for name in values.get_variable_to_shape_map() if name.startswith("variables/")]
    arrays = [values.get_tensor(name) for name in sorted(names)]
    return _digest(repr([array.tolist() for array in arrays if array.dtype == "float32"]))


def _digest_batch(folder: Path) -> str:
    shards = sorted((folder / "scored").glob("posts-*.parquet"))
    return _digest(pd.concat([pd.read_parquet(path) for path in shards]).to_csv(index=False))


def _digest_files(folder: Path, pattern: str) -> str:
    (path,) = folder.rglob(pattern)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


TASKS = {
    "train": Task(train_command, _digest_run("posts")),
    "search": Task(
        lambda inputs: [
            *("search", f"--data={inputs.table}", f"--space={inputs.space}", "--algorithm=grid"),
            *("--epochs=3", "--final-seeds=1", *SMALL, "--linear=none"),
        ],
        _digest_search,
    ),
    "tflite": Task(
        lambda inputs: ["tflite", str(inputs.run), "--output=m.tflite"],
        lambda folder: _digest_files(folder, "m.tflite"),
    ),
    "saved_model": Task(
        lambda inputs: ["saved_model", str(inputs.run), "--to=saved_models/posts"],
        _digest_published,
    ),
    "batch": Task(
        lambda inputs: [
            *("batch", str(inputs.run), f"--input={inputs.table}", "--output=scored/posts"),
            *("--workers=2", "--overwrite"),
        ],
        _digest_batch,
    ),
    "distill": Task(
        lambda inputs: [
            *("distill", "--teacher=bytes", f"--data={inputs.table}", "--epochs=3", *SMALL),
            *(f"--unlabelled={inputs.pile}", f"--student={inputs.student}"),
        ],
        _digest_run("posts-student"),
    ),
    "compress": Task(
        lambda inputs: [
            *("compress", str(inputs.run), "--budget=size<1MB", "--output=saved_models/small"),
        ],
        lambda folder: _digest_files(folder / "saved_models" / "small", "model.tflite"),
    ),
    "serve": Task(lambda inputs: ["serve", str(inputs.run), "--port=0"], None),
}
