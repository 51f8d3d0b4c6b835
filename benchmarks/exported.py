"""Size and latency of the file that a benchmark's run is exported to."""

from pathlib import Path
from typing import Any

from kerasclf import console
from kerasclf.run.layout import RunLayout


def measure_file(run: Path) -> dict[str, Any]:
    """Bytes and median latency of the dynamic_int8 .tflite of a run, if it reads bytes.

    Args:
        run: a finished run; the file is kept beside it, and measured again each time.

    Returns:
        "bytes" and "p50_ms"; None for a run that reads tokens.
    """
    with console.quiet_imports():
        from export.litert.benchmark import benchmark_files
        from export.litert.export_tflite import export_tflite
        from kerasclf.run.members import reads_bytes
    if not reads_bytes(RunLayout.open(run)):
        return {"bytes": None, "p50_ms": None}
    file = run.parent / f"{run.parent.name}.tflite"
    if not file.is_file():
        # Whatever it loses by rounding: the figures of the run are those of Keras.
        export_tflite(run, "dynamic_int8", file, max_drop=1.0)
    measured = benchmark_files([file])["measured"][0]
    return {"bytes": measured["bytes"], "p50_ms": measured["p50_ms"]}


def describe_file(figures: dict[str, Any]) -> str:
    """Size and latency of a file as two cells of a Markdown table, empty where there is no file.

    Args:
        figures: "bytes" and "p50_ms", each a number or None.
    """
    size = f"{figures['bytes'] / 1e6:.2f} MB" if figures["bytes"] else ""
    p50 = f"{figures['p50_ms']:.2f} ms" if figures["p50_ms"] else ""
    return f"{size} | {p50}"
