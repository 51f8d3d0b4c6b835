"""Time and memory of the checks of sources, templates and novelty on a generated table.

    python -m benchmarks.provenance --rows 200000

Prints a Markdown table. Texts have about 90 characters; near-duplicates are not searched.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kerasclf import command
from kerasclf.config import TrainConfig
from kerasclf.data.examples import Examples, clean
from kerasclf.data.templates import find_templates
from kerasclf.evaluation.provenance import examine_sources
from kerasclf.job.examination import look_closer

VOCABULARY, WORDS = 50_000, 13


@dataclass
class ProvenanceOptions(command.Options):
    """Measure time and peak memory of the checks of where rows come from."""

    rows: int = 200_000
    """Rows of the table."""


def make_table(rows: int) -> Examples:
    """Rows of four labels and two sources; words are drawn by Zipf's law."""
    random = np.random.default_rng(0)
    words = np.minimum(random.zipf(1.2, (rows, WORDS)), VOCABULARY)
    texts = [" ".join(f"w{word:05}" for word in row) for row in words]
    frame = pd.DataFrame(
        {
            "row": np.arange(rows),
            "text": texts,
            "label": np.char.add("level ", (words[:, 0] % 4).astype(str)),
            "group": "",
            "split": "",
            "source": np.where(np.arange(rows) % 2, "typed", "made"),
        }
    )
    return clean(frame, "made", (), False, {}, 0)


def measure(options: ProvenanceOptions) -> dict[str, Any]:
    """Runs each check once."""
    examples = make_table(options.rows)
    groups = np.arange(len(examples.rows))
    config = TrainConfig(source_column="source")
    checks: dict[str, Callable[[], Any]] = {
        "sources": lambda: examine_sources(examples.rows, groups, 0),
        "templates": lambda: find_templates(examples.rows["text"].tolist()),
        "novelty": lambda: look_closer(examples, groups, config),
    }
    results = []
    for name, check in checks.items():
        start = time.perf_counter()
        check()
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        results.append({"check": name, "seconds": seconds, "peak_memory_bytes": peak})
    return {"rows": len(examples.rows), "results": results}


def show(result: dict[str, Any]) -> None:
    """Prints the table."""
    print(f"{result['rows']:,} rows\n\n| check | seconds | peak memory of the process |")
    print("| --- | --- | --- |")
    for row in result["results"]:
        print(
            f"| {row['check']} | {row['seconds']:.1f} | {row['peak_memory_bytes'] / 1e9:.2f} GB |"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(ProvenanceOptions)
    return command.run(parser, measure, show, argv, "benchmarks.provenance")


if __name__ == "__main__":
    sys.exit(main())
