"""The line after a result that says what one would run next."""

from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

Options = Any
Result = Mapping[str, Any]


def describe_next(program: str, options: Options, result: Result) -> str | None:
    """The command that usually follows a finished one; None where none does.

    Args:
        program: the finished command, such as "kerasclf train".
        options: its options.
        result: its result.
    """
    step = _STEPS.get(program.removeprefix("kerasclf "))
    return f"kerasclf {line}" if step and (line := step(options, result)) else None


def _train_table(options: Options, _: Result) -> str:
    source = f" --dataset {options.dataset}" if options.dataset else ""
    if table := getattr(options, "file", None) or getattr(options, "data", None):
        source = f" --data {quote(str(table))}"
    columns = [
        f" --{name.replace('_', '-')} {quote(value)}"
        for name in ("text_column", "label_column", "group_column", "source_column")
        if (value := getattr(options, name, None)) not in (None, "text", "label")
    ]
    return f"train{source}{''.join(columns)}"


def _of_run(line: str) -> Callable[[Options, Result], str]:
    return lambda _, result: line.format(run=quote(str(result["run"])))


def _of_file(line: str) -> Callable[[Options, Result], str]:
    return lambda _, result: line.format(file=quote(str(result["file"])))


def _after_search(_: Options, result: Result) -> str | None:
    return f"train --config {quote(str(result['config']))}" if "config" in result else None


def _after_compress(_: Options, result: Result) -> str | None:
    file = Path(result["folder"]) / "model.tflite"
    return f"web {quote(str(file))} --output page" if result["chosen"] else None


def _after_publishing(_: Options, result: Result) -> str:
    name = Path(result["model"]).name
    return f'request http://localhost:8501/v1/models/{name} "a text"'


_STEPS: dict[str, Callable[[Options, Result], str | None]] = {
    "doctor": _train_table,
    "sources": _train_table,
    "crossval": _train_table,
    "datasets": lambda *_: "train --dataset NAME",
    "train": _of_run('predict {run} "a text"'),
    "evaluate": _of_run('explain {run} "a text"'),
    "attack": _of_run('explain {run} "a text"'),
    "ensemble": _of_run("saved_model {run}"),
    "distill": _of_run("tflite {run}"),
    "prune": _of_run("tflite {run}"),
    "cluster": _of_run("tflite {run}"),
    "qat": _of_run("tflite {run}"),
    "review": lambda *_: "train --data FILE --corrections corrections.csv",
    "search": _after_search,
    "tflite": _of_file("web {file} --output page"),
    "compress": _after_compress,
    "saved_model": _after_publishing,
}
"""By name of the command; of the others, the result is the end of a way."""
