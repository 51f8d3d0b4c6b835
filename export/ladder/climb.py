"""Climbs the ladder of a run: tries one rung after another until a file fits the budget."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export.ladder.attempts import Attempt, describe_attempt
from export.ladder.budget import Limit, distance, find_excesses
from export.ladder.report import write_report
from export.ladder.rungs import Ladder, Rung
from export.litert.benchmark import measure_apart
from export.litert.final_score import score_on_test
from export.litert.make import load_file, make_file
from export.program.golden import GateError
from export.program.inputs import describe_input
from export.program.output import whole
from kerasclf.console import say
from kerasclf.files import load_record
from kerasclf.run.layout import RunLayout

CLOSEST = 3
"""Number of files that are named if none fits the budget."""


def climb(layout: RunLayout, limits: Sequence[Limit], output: Path) -> dict[str, Any]:
    """Makes the cheapest export of a run within a budget.

    Example:

        ```python
        layout = RunLayout.open_network("runs/chat-language")
        limits = parse_budget("size<1MB,p95<5ms")
        climb(layout, limits, Path("small"))["chosen"]  # 'as trained, dynamic_int8'
        ```

    Args:
        layout: a finished run.
        limits: the budget.
        output: folder to create, with a report and, if a file fits the budget, model.tflite.

    Returns:
        "run", "name" and "number" of the run; "budget", its limits as text; "tried", the attempts
        in order; "chosen", name of the one that fits the budget, or None; "closest", names of the
        attempts nearest to the budget; "folder"; and with a chosen file "test", its score on the
        test rows.
    """
    # Pruning makes a file smaller only after compression.
    ladder = Ladder(layout, prune=any(limit.measure == "gzip_size" for limit in limits))
    tried: list[Attempt] = []
    chosen: tuple[Rung, bytes] | None = None
    for rung in ladder.rungs():
        content, attempt = _try(rung, layout, limits)
        tried.append(attempt)
        say(describe_attempt(attempt))
        if content is not None and not attempt["reasons"]:
            chosen = rung, content
            break
    measured = [attempt for attempt in tried if "size" in attempt]
    closest = sorted(measured, key=lambda attempt: distance(limits, attempt))
    metrics = load_record(layout.metrics)
    result = {
        "run": str(layout.root),
        "name": metrics["name"],
        "number": metrics["number"],
        "budget": [limit.text for limit in limits],
        "tried": tried,
        "chosen": None if chosen is None else chosen[0].name,
        "closest": [attempt["name"] for attempt in closest[:CLOSEST]],
        "folder": str(output),
    }
    if chosen is not None:
        rung, content = chosen
        result["test"] = score_on_test(layout, load_file(content, describe_input(rung.make())))
    with whole(output) as folder:
        if chosen is not None:
            (folder / "model.tflite").write_bytes(chosen[1])
        write_report(folder, result)
    return result


def _try(rung: Rung, layout: RunLayout, limits: Sequence[Limit]) -> tuple[bytes | None, Attempt]:
    """Makes the file of a rung and measures it; the file is None if it fails a check."""
    try:
        # The budget bounds the drop of macro-F1, so the checks do not.
        content, report = make_file(layout, rung.recipe, float("inf"), rung.make())
    except GateError as error:
        failed = [str(error)]
        return None, Attempt(
            network=rung.network, recipe=rung.recipe, name=rung.name, reasons=failed
        )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.tflite"
        file.write_bytes(content)
        cost = measure_apart(file, 1, [])
    attempt = Attempt(
        network=rung.network,
        recipe=rung.recipe,
        name=rung.name,
        size=report.bytes,
        gzip_size=report.gzip_bytes,
        memory=cost["peak_memory_bytes"],
        p50=cost["p50_ms"],
        p90=cost["p90_ms"],
        p95=cost["p95_ms"],
        p99=cost["p99_ms"],
        macro_f1=report.macro_f1,
        macro_f1_drop=report.keras_macro_f1 - report.macro_f1,
        recall_drop=report.worst_recall_drop,
        device=cost["device"],
        reasons=[],
    )
    attempt["reasons"] = find_excesses(limits, attempt)
    return content, attempt
