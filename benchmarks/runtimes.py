"""Which runtime takes which exported file: labels of the same texts by each runtime.

    python -m benchmarks.runtimes runs/id-hate --texts 500

Exports a run by every recipe of `kerasclf tflite` and as ONNX, and labels test texts by each
runtime in an environment of its own, which is installed once. Labels are
compared with those that LiteRT gives with the same file; those of the ONNX file, with float32.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from benchmarks.runtime_environments import RUNTIMES, Runtime
from benchmarks.runtime_files import ONNX_FILE, REFERENCE, draw_texts, export_files, label_texts
from export.litert.recipes import RECIPES
from kerasclf import command
from kerasclf.console import say_status, shorten
from kerasclf.edge_runtime import encode, read_metadata
from kerasclf.errors import UserError
from kerasclf.run.layout import RunLayout
from kerasclf.run.members import reads_bytes


@dataclass
class RuntimesOptions(command.Options):
    """Run the exported files of a run with other runtimes, and compare the labels."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run that reads bytes, or of all runs of a name for the newest."""
    texts: int = 500
    """Number of test texts, drawn at random; all, if there are fewer."""
    runtimes: Annotated[
        tuple[str, ...], tyro.conf.arg(help=f"Runtimes to compare: {', '.join(RUNTIMES)}.")
    ] = tuple(RUNTIMES)
    environments: Path = Path("runs/environments")
    """Folder that the runtimes are installed in."""


def compare(options: RuntimesOptions) -> dict[str, Any]:
    """Compares the runtimes on the given run."""
    if options.texts < 1:
        raise UserError(f"--texts is {options.texts}; expected at least 1")
    for name in options.runtimes:
        if name not in RUNTIMES:
            raise UserError(f"--runtimes has {name!r}; expected some of {', '.join(RUNTIMES)}")
    layout = RunLayout.open(options.run)
    if not reads_bytes(layout):
        raise UserError(f"{layout.root} reads tokens; expected a run of --encoder bytes")
    return measure(layout, options.texts, options.runtimes, options.environments)


def measure(
    layout: RunLayout, texts: int, runtimes: Sequence[str], environments: Path
) -> dict[str, Any]:
    """Labels test texts with every file and every runtime.

    Args:
        layout: a finished run that reads bytes.
        texts: number of texts, at least 1.
        runtimes: keys in `RUNTIMES`.
        environments: folder that the runtimes are installed in.

    Returns:
        "texts", their number; "files", the names of recipes, and ONNX; "oldest_runtime" and
        "same_as_float32", the number of texts that LiteRT gives the label of the float32 file, by
        recipe; and "results", one entry per runtime: "runtime", "version", "files", those of its
        formats, "same", the number of texts with the expected label by file, "errors" by file, and
        "not_installed", a reason or None.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files, oldest = export_files(layout, folder)
        drawn = draw_texts(layout, texts)
        max_bytes = read_metadata(files[REFERENCE].read_bytes())["max_bytes"]
        rows = folder / "rows.json"
        rows.write_text(json.dumps([encode(text, max_bytes)[0].tolist() for text in drawn]))
        expected = {recipe: label_texts(files[recipe], drawn) for recipe in RECIPES}
        expected[ONNX_FILE] = expected[REFERENCE]
        results = []
        for name in runtimes:
            say_status(f"labelling with {name}")
            results.append(_measure_once(RUNTIMES[name], environments, files, rows, expected))
    return {
        "texts": len(drawn),
        "files": list(files),
        "oldest_runtime": oldest,
        "same_as_float32": {
            recipe: count_same(expected[recipe], expected[REFERENCE]) for recipe in RECIPES
        },
        "results": results,
    }


def count_same(labels: Sequence[int], expected: Sequence[int]) -> int:
    """How many class ids are as expected."""
    return sum(label == other for label, other in zip(labels, expected, strict=True))


def _measure_once(
    runtime: Runtime,
    environments: Path,
    files: dict[str, Path],
    rows: Path,
    expected: dict[str, list[int]],
) -> dict[str, Any]:
    result: dict[str, Any] = {"runtime": runtime.name, "version": runtime.version}
    taken = [name for name, file in files.items() if file.suffix in runtime.formats]
    same, errors, reason = {}, {}, None
    try:
        label = runtime.prepare(runtime, environments)
        result["version"] = runtime.find_version()
        for name in taken:
            answer = label(files[name], rows)
            if "error" in answer:
                errors[name] = shorten(answer["error"], 300)
            else:
                same[name] = count_same(answer["labels"], expected[name])
    except UserError as error:
        reason = str(error)
    return {**result, "files": taken, "same": same, "errors": errors, "not_installed": reason}


def show(result: dict[str, Any]) -> None:
    """Prints a Markdown table, and below it why cells have no number."""
    files = result["files"]
    table = [["runtime", "version", *files], ["---"] * (len(files) + 2)]
    reasons: dict[str, list[str]] = {}
    for row in result["results"]:
        name = row["runtime"]
        missing = dict.fromkeys(row["files"], "not installed") if row["not_installed"] else {}
        cells = row["same"] | dict.fromkeys(row["errors"], "refused") | missing
        table.append([name, row["version"] or "", *(str(cells.get(file, "")) for file in files)])
        if row["not_installed"]:
            reasons.setdefault(row["not_installed"], []).append(name)
        for file, reason in row["errors"].items():
            reasons.setdefault(reason, []).append(f"{name} ({file})")
    oldest = (result["oldest_runtime"].get(file) or "" for file in files)
    table.append(["oldest by its ops", "", *oldest])
    for line in table:
        print(f"| {' | '.join(line)} |")
    same = ", ".join(f"{file} {number}" for file, number in result["same_as_float32"].items())
    print(
        f"\nOf {result['texts']} texts, those with the label that LiteRT gives with the same file."
    )
    print(f"Those with the label of float32, by LiteRT: {same}.")
    for reason, places in reasons.items():
        print(f"- {', '.join(places)}: {reason}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(RuntimesOptions)
    return command.run(parser, compare, show, argv, "python -m benchmarks.runtimes")


if __name__ == "__main__":
    sys.exit(main())
