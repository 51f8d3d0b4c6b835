"""`kerasclf cluster`: a run with few different weights."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from export.compressed_run import CompressedRunOptions, make_compressed_run, show
from kerasclf import command
from kerasclf.errors import UserError


@dataclass
class ClusterOptions(CompressedRunOptions):
    """Cluster a run: each layer gets few different weights, so that its file compresses well."""

    clusters: int = 32
    """Different weights in a layer."""


def cluster(options: ClusterOptions) -> dict[str, Any]:
    """Clusters the weights of the run that the options name."""
    if not 2 <= options.clusters <= 256:
        raise UserError(f"--clusters is {options.clusters}; expected 2 to 256")

    def make_method() -> Any:
        from export.compression.clustering import Clustering

        return Clustering(options.clusters)

    facts = {"method": "clustering", "clusters": options.clusters}
    return make_compressed_run(options, "clustered", make_method, facts)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return command.run(command.parser(ClusterOptions), cluster, show, argv, "kerasclf cluster")


if __name__ == "__main__":
    sys.exit(main())
