"""Labels all pieces on this machine, in one process or in several."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from itertools import chain, islice
from multiprocessing import get_context, parent_process

from export.scoring.labelling import LabelledPiece, Task
from export.scoring.model import load_model
from export.scoring.rows import Piece, plan_pieces
from kerasclf.console import say_status
from kerasclf.prediction import Predictor


def label_pieces(task: Task, workers: int) -> tuple[int, list[LabelledPiece]]:
    """Labels the rows of all files into new files.

    Args:
        task: what to label, and how.
        workers: number of processes; a table of one piece is labelled in this process.

    Returns:
        Number of rows found when the files were cut into pieces, and the labelled pieces in the
        order of the input.

    Raises:
        RuntimeError: a worker process was killed.
    """
    pieces = (piece for source in task.table.sources for piece in plan_pieces(source, task.table))
    first = list(islice(pieces, 2))
    if workers == 1 or len(first) < 2:
        return _label_here(task, chain(first, pieces), len(first) < 2)
    return _label_in_processes(task, chain(first, pieces), workers)


def _label_here(task: Task, pieces: Iterator[Piece], few: bool) -> tuple[int, list[LabelledPiece]]:
    labeller = load_model(task.model, few)
    rows, labelled = 0, []
    for number, piece in enumerate(pieces):
        rows += piece.rows
        labelled.append(task.label(piece, number, labeller))
        say_status(f"{rows:,} rows done")
    return rows, labelled


def _label_in_processes(
    task: Task, pieces: Iterator[Piece], workers: int
) -> tuple[int, list[LabelledPiece]]:
    # Each process starts anew: a copy of this one would lack the threads of TensorFlow.
    executor = ProcessPoolExecutor(
        workers, get_context("spawn"), _start_worker, (task, count_processors() // workers)
    )
    rows, labelled, futures = 0, [], []
    try:
        # Text files are cut while workers label their first pieces.
        for number, piece in enumerate(pieces):
            rows += piece.rows
            futures.append(executor.submit(_label, piece, number))
        for future in futures:
            labelled.append(future.result())
            done = sum(piece.rows + sum(piece.dead.values()) for piece in labelled)
            say_status(f"{done:,} rows done")
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a worker process was killed, perhaps since memory ran out, and nothing was written; "
            "try fewer --workers"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)
    return rows, labelled


def count_processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_task: Task | None = None
"""The task of a worker process."""


def _start_worker(task: Task, threads: int) -> None:
    global _task
    _task = task
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # The parent process stops its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = str(max(1, threads))


def _end_with_parent() -> None:
    """Ends this process when its parent has been killed, for whose next piece it would wait."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@cache
def _load_labeller() -> Predictor:
    # Not when the worker starts: an error there would not reach the parent process.
    assert _task is not None
    return load_model(_task.model, False)


def _label(piece: Piece, number: int) -> LabelledPiece:
    assert _task is not None
    return _task.label(piece, number, _load_labeller())
