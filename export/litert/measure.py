"""Measures one .tflite in its own process; prints JSON. Needs only numpy and ai-edge-litert."""

import gzip
import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from export.litert.oldest_runtime import find_oldest_runtime
from kerasclf.edge_runtime import EdgeClassifier
from kerasclf.memory import peak_memory

BURN_IN = 50
CALLS = 1000
SAMPLE = "contoh teks yang agak panjang supaya waktunya seperti di dunia nyata"


def measure(path: Path, threads: int, rows: list[dict[str, str]]) -> dict[str, Any]:
    """Measures a file.

    Args:
        path: path of a .tflite of kerasclf.
        threads: threads of the interpreter.
        rows: dicts with "text" and, for accuracy and macro-F1, "label"; may be empty.

    Returns:
        Sizes in bytes, "oldest_runtime" of `find_oldest_runtime`, times in milliseconds, throughput
        in texts a second, and the device. Latency covers encoding one text, running the file and
        reading the label; for a file that takes token ids, it does not cover tokenization.

    Raises:
        ValueError: the file is damaged, or the rows do not fit it.
    """
    before = peak_memory()
    start = time.perf_counter()
    classifier = EdgeClassifier(path, threads)
    loaded = time.perf_counter()
    if rows and classifier.takes_tokens:
        raise ValueError("it takes token ids, not the texts of --data; leave --data out")
    run = (lambda _: classifier.run_ones()) if classifier.takes_tokens else classifier.run
    run(SAMPLE)
    first = time.perf_counter()
    texts = [row["text"] for row in rows] or [SAMPLE]
    for i in range(BURN_IN):
        run(texts[i % len(texts)])
    seconds = np.empty(CALLS)
    for i in range(CALLS):
        begin = time.perf_counter()
        int(run(texts[i % len(texts)])["label"][0])
        seconds[i] = time.perf_counter() - begin
    content = path.read_bytes()
    result = {
        "file": str(path),
        "name": classifier.metadata["name"],
        "recipe": classifier.metadata["recipe"],
        "threads": threads,
        "bytes": len(content),
        "gzip_bytes": len(gzip.compress(content)),
        "oldest_runtime": find_oldest_runtime(content),
        "load_ms": (loaded - start) * 1000,
        "first_ms": (first - loaded) * 1000,
        **{f"p{q}_ms": float(np.percentile(seconds, q) * 1000) for q in (50, 90, 95, 99)},
        "texts_per_second": CALLS / float(seconds.sum()),
        "peak_memory_bytes": peak_memory(),
        "memory_of_model_bytes": peak_memory() - before,
        "device": describe_device(),
    }
    if rows and "label" in rows[0]:
        result |= score(classifier, rows)
    return result


def score(classifier: EdgeClassifier, rows: list[dict[str, str]]) -> dict[str, float]:
    """Accuracy, and macro-F1 over the file's labels, of the decisions of a file.

    Raises:
        ValueError: a row has a label that the file does not have.
    """
    positions = {label: i for i, label in enumerate(classifier.labels)}
    class_ids = np.array([positions.get(row["label"], -1) for row in rows])
    if (class_ids < 0).any():
        unknown = rows[int(np.argmin(class_ids))]["label"]
        raise ValueError(f"the data has the label {unknown!r}, which the file does not have")
    predicted = np.array([int(classifier.run(row["text"])["label"][0]) for row in rows])
    hits, support, decided = (
        np.bincount(ids, minlength=len(positions))
        for ids in (class_ids[class_ids == predicted], class_ids, predicted)
    )
    f1 = 2 * hits / np.maximum(support + decided, 1)
    return {"accuracy": float((class_ids == predicted).mean()), "macro_f1": float(f1.mean())}


def describe_device() -> dict[str, Any]:
    """Machine, processor, runtime, and the cores that this process may use."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(errors="replace").splitlines()
        models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        processor = models[0] if models else processor
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return {
        "machine": platform.machine(),
        "system": platform.platform(),
        "processor": processor,
        "python": platform.python_version(),
        "ai_edge_litert": version("ai-edge-litert"),
        "delegate": "XNNPACK",
        "affinity": affinity,
    }


if __name__ == "__main__":
    request = json.load(sys.stdin)
    print(json.dumps(measure(Path(request["file"]), request["threads"], request["rows"])))
