"""`kerasclf compress`: the first file of a run, from the cheapest on, that holds a budget."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.budget import EXAMPLE, Limit, distance, find_excesses, parse_budget
from export.tflite import describe_test
from kerasclf import command
from kerasclf.errors import UserError

CLOSEST = 3
COLUMNS = {
    "size": ("MB", 1e-6),
    "gzip_size": ("gzip", 1e-6),
    "p50": ("p50 ms", 1.0),
    "p95": ("p95 ms", 1.0),
    "macro_f1": ("F1", 1.0),
    "macro_f1_drop": ("drop", 1.0),
    "recall_drop": ("recall drop", 1.0),
}
"""Heads of the terminal's table, and what a value is multiplied by."""


@dataclass
class CompressOptions(command.Options):
    """Try recipes, pruning and smaller students of a run until a file holds a budget."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of the run, or of all runs of a name for the newest."""
    budget: str = EXAMPLE
    """Limits, separated by commas: size, gzip_size, memory (B, KB, MB), p50, p90, p95, p99 (us, ms,
    s) of one text on one thread, macro_f1_drop and recall_drop (of the worst class) on validation
    rows, both against the run."""
    output: Path | None = None
    """Folder to make, with model.tflite, ladder.json, ladder.html and pareto.svg;
    saved_models/NAME-N-compressed if none is given."""


def compress(options: CompressOptions) -> dict[str, Any]:
    """Climbs the ladder of the run that the options name."""
    from export.folder import check_new
    from kerasclf.files import read_json
    from kerasclf.layout import RunLayout

    limits = parse_budget(options.budget)
    if options.run is None:
        raise UserError("no run given; expected a folder such as runs/NAME/1")
    layout = RunLayout.open_network(options.run)
    metrics = read_json(layout.metrics)
    name = f"{metrics['name']}-{metrics['number']}-compressed"
    output = options.output or Path("saved_models") / name
    check_new(output)

    with command.quiet_imports():
        from export.final_score import score_on_test
        from export.folder import whole
        from export.ladder import Ladder
        from export.ladder_report import write_report
        from export.prove import load_file

    ladder = Ladder(layout, prune=any(limit.measure == "gzip_size" for limit in limits))
    tried: list[dict[str, Any]] = []
    content = None
    for rung in ladder.rungs():
        content, entry = _try(rung, layout, limits)
        tried.append(entry)
        command.say(_describe(entry))
        if not entry["reasons"]:
            break
    else:
        content = None
    measured = [entry for entry in tried if "size" in entry]
    closest = sorted(measured, key=lambda entry: distance(limits, entry))
    result = {
        "run": str(layout.root),
        "name": metrics["name"],
        "number": metrics["number"],
        "budget": [limit.text for limit in limits],
        "tried": tried,
        "chosen": None if content is None else rung.name,
        "closest": [entry["name"] for entry in closest[:CLOSEST]],
        "folder": str(output),
    }
    if content is not None:
        result["test"] = score_on_test(layout, load_file(content, rung.make()))
    with whole(output) as folder:
        if content is not None:
            (folder / "model.tflite").write_bytes(content)
        write_report(folder, result)
    return result


def _try(rung: Any, layout: Any, limits: tuple[Limit, ...]) -> tuple[bytes | None, dict[str, Any]]:
    """Makes and measures the file of a rung."""
    import tempfile

    from export.benchmark import measure_apart
    from export.gate import GateError
    from export.prove import make_file

    entry: dict[str, Any] = {"network": rung.network, "recipe": rung.recipe, "name": rung.name}
    try:
        content, report = make_file(layout, rung.recipe, float("inf"), rung.make())
    except GateError as error:
        return None, entry | {"reasons": [str(error)]}
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "model.tflite"
        file.write_bytes(content)
        cost = measure_apart(file, 1, [])
    entry |= {
        "size": report.bytes,
        "gzip_size": report.gzip_bytes,
        "memory": cost["peak_memory_bytes"],
        **{f"p{q}": cost[f"p{q}_ms"] for q in (50, 90, 95, 99)},
        "macro_f1": report.macro_f1,
        "macro_f1_drop": report.keras_macro_f1 - report.macro_f1,
        "recall_drop": report.worst_recall_drop,
        "device": cost["device"],
    }
    return content, entry | {"reasons": find_excesses(limits, entry)}


def _describe(entry: dict[str, Any]) -> str:
    return f"{entry['name']}: {'; '.join(entry['reasons']) or 'holds the budget'}"


def show(result: dict[str, Any]) -> None:
    """Prints the table for people."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    table = Table("file", box=box.SIMPLE)
    for head, _ in COLUMNS.values():
        table.add_column(head, justify="right", no_wrap=True)
    for entry in result["tried"]:
        cells = [f"{entry[c] * by:.3f}" if c in entry else "-" for c, (_, by) in COLUMNS.items()]
        table.add_row(entry["name"], *cells)
    console.print(table)
    for entry in result["tried"]:
        console.print(_describe(entry), soft_wrap=True)
    if not result["chosen"]:
        names = "; ".join(result["closest"]) or "none was measured"
        console.print(f"nothing holds {', '.join(result['budget'])}; closest: {names}")
    else:
        line = f"chosen    {result['chosen']}: {describe_test(result['test'])}"
        console.print(line, soft_wrap=True)
    console.print(f"folder    {result['folder']}  (open ladder.html)")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code: 1 where nothing holds the budget."""
    return command.run(
        command.parser(CompressOptions),
        compress,
        show,
        argv,
        "kerasclf compress",
        lambda result: bool(result["chosen"]),
    )


if __name__ == "__main__":
    sys.exit(main())
