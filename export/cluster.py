"""`kerasclf cluster`: a run with few distinct weights."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from export.compression.config import FineTuneConfig
from kerasclf import command, console
from kerasclf.errors import UserError


@dataclass
class ClusterOptions(FineTuneConfig, command.Options):
    """Fine-tune a run with few distinct weights per layer (weight clustering), so that its exported
    file compresses well."""

    run: Annotated[Path | None, tyro.conf.Positional] = None
    """Folder of a run of --encoder bytes, or of all runs of a name for the newest."""
    clusters: int = 32
    """Number of distinct weights per layer."""


def cluster(options: ClusterOptions) -> dict[str, Any]:
    """Clusters the weights of the given run."""
    from export.compression.prepare import prepare_compression
    from kerasclf.run.layout import RunLayout

    if not 2 <= options.clusters <= 256:
        raise UserError(f"--clusters is {options.clusters}; expected 2 to 256")
    layout = RunLayout.open_network(options.run)
    job = prepare_compression(layout, options, "clustered")
    # TensorFlow takes seconds to import: only after the data has been checked.
    with console.quiet_imports():
        from export.compression.clustering import Clustering
        from export.compression.compressed_run import compress_run

    return compress_run(layout, job, Clustering(options.clusters))


def show(metrics: dict[str, Any]) -> None:
    """Prints the metrics."""
    from export.compression.terminal import print_compressed

    print_compressed(metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(ClusterOptions), cluster, show, argv, "kerasclf cluster")


if __name__ == "__main__":
    sys.exit(main())
