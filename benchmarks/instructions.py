"""Instructions that a .tflite takes for a text, counted by callgrind: the same on busy machines.

    python -m benchmarks.instructions model.tflite

Needs valgrind (on Debian: apt install valgrind). The file is run on few and on more texts, and the
difference is divided by that of their numbers, so that starting Python and loading the file do not
count. What each kind of operation takes is found by the names of LiteRT's functions; shapes are
static, so that every text takes the same.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import tyro

from kerasclf import command
from kerasclf.errors import UnsupportedError, UserError

FEW, MORE = 20, 120
"""Numbers of texts."""
PROGRAM = """
import gc
import sys
from pathlib import Path
from kerasclf.edge_runtime import EdgeClassifier
file = EdgeClassifier(Path(sys.argv[1]))
gc.disable()
for _ in range(int(sys.argv[2])):
    file.run_ones()
"""
GROUPS = (
    ("convolution and matrix product", r"gemm|conv|FullyConnected|DepthwiseConv"),
    ("gather", r"[Gg]ather|EmbeddingLookup"),
    ("slice, pad, concatenation, reshape", r"Slice|Pad|Concat|Reshape|Pack|Transpose|Tile"),
    ("integer arithmetic", r"FloorMod|FloorDiv|floor_(mod|div)|Bitwise|Cumsum|CumSum|Scatter"),
    (
        "elementwise",
        r"[Bb]inary|Broadcast|Add|Sub|Mul|Maximum|Minimum|Comparison|Equal|Cast|xnn_.*v",
    ),
    ("reduction", r"Reduce|Mean|Sum|Pool|ArgMax|ArgMin|SoftMax|Softmax|rsum|rmax"),
)
"""Kinds of operations, and patterns of the functions of LiteRT that compute them."""
_LINE = re.compile(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S.*)")


@dataclass
class InstructionsOptions(command.Options):
    """Count the instructions that .tflite files take for a text."""

    files: Annotated[tuple[Path, ...], tyro.conf.Positional] = ()
    """.tflite files of kerasclf."""
    repeats: int = 3
    """Times that each file is counted."""


def count(options: InstructionsOptions) -> dict[str, Any]:
    """Counts the instructions of each file."""
    if not options.files:
        raise UserError("no file; give FILE.tflite")
    if shutil.which("valgrind") is None:
        raise UnsupportedError("needs valgrind; on Debian: apt install valgrind")
    results = []
    for path in options.files:
        if not path.is_file():
            raise UserError(f"{path} is no file; give FILE.tflite")
        counts = [count_once(path) for _ in range(options.repeats)]
        totals = sorted(sum(each.values()) for each in counts)
        middle = median(totals)
        groups = {name: median(each[name] for each in counts) for name in counts[0]}
        spread = (totals[-1] - totals[0]) / middle
        results.append(
            {"file": str(path), "instructions": middle, "spread": spread, "groups": groups}
        )
    return {"results": results}


def count_once(path: Path) -> Counter[str]:
    """Instructions for one text by kind of operation."""
    few, more = (_run(path, texts) for texts in (FEW, MORE))
    found: Counter[str] = Counter()
    for function, instructions in more.items():
        found[_find_group(function)] += (instructions - few[function]) / (MORE - FEW)
    return found


def _run(path: Path, texts: int) -> Counter[str]:
    """Instructions of a process by function."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "callgrind"
        subprocess.run(
            [
                *("valgrind", "--tool=callgrind", f"--callgrind-out-file={output}"),
                *(sys.executable, "-c", PROGRAM, str(path), str(texts)),
            ],
            check=True,
            capture_output=True,
            # Threads that wait for work count, too.
            env={**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"},
        )
        listing = subprocess.run(
            ["callgrind_annotate", "--threshold=100", "--auto=no", str(output)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    found: Counter[str] = Counter()
    for line in listing.splitlines():
        matched = _LINE.match(line)
        if matched and ":" in matched[2]:
            found[matched[2]] += int(matched[1].replace(",", ""))
    return found


def _find_group(function: str) -> str:
    """The kind of operation that a function of LiteRT computes."""
    if "litert" not in function:
        return "Python and memory"
    for name, pattern in GROUPS:
        if re.search(pattern, function):
            return name
    return "other of LiteRT"


def show(result: dict[str, Any]) -> None:
    """Prints a table per file."""
    for entry in result["results"]:
        print(
            f"{entry['file']}: {entry['instructions'] / 1e6:.2f} M instructions a text "
            f"(repeats differ by {entry['spread']:.2%})"
        )
        for name, instructions in sorted(entry["groups"].items(), key=lambda item: -item[1]):
            share = instructions / entry["instructions"]
            print(f"  {instructions / 1e6:6.2f} M  {share:4.0%}  {name}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = command.parser(InstructionsOptions)
    return command.run(parser, count, show, argv, "python -m benchmarks.instructions")


if __name__ == "__main__":
    sys.exit(main())
