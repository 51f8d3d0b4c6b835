"""Compressed runs printed on the terminal."""

from typing import Any

from kerasclf.report.terminal import print_summary


def print_compressed(metrics: dict[str, Any]) -> None:
    """Prints the metrics of a compressed run, and the share of zeros in each layer."""
    print_summary(metrics)
    zeros = metrics["compression"]["sparsity"]
    print("zeros     " + ", ".join(f"{name} {share:.1%}" for name, share in zeros.items()))
