"""A pile of texts without labels: read, cleaned, sampled, and compared with the user's table."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from kerasclf.data.cells import as_text, is_blank
from kerasclf.data.duplicates import NearDuplicateIndex, normalize
from kerasclf.data.reading import Reading
from kerasclf.data.splits import hash_text
from kerasclf.data.tables import find_column, read_chunks
from kerasclf.errors import UserError
from kerasclf.evaluation.provenance import tell_apart
from kerasclf.job.job import Job

CHUNK_ROWS = 20_000
MOST_COMPARED = 5_000
"""Texts of the pile, and of the table, that a linear model tells apart."""
BLANK, DUPLICATE, LABELLED, MEASURED, NEAR = (
    "without a text",
    "duplicates",
    "copies of training rows",
    "copies of validation or test rows",
    "near-copies of validation or test rows",
)


def read_pile(
    path: Path, text_column: str, job: Job, most: int, seed: int
) -> tuple[list[str], dict[str, Any]]:
    """Reads texts for teachers to label.

    Texts are read in chunks, and only the sample is kept in memory. Left out are texts that are
    blank, twice in the pile, copies of rows of the table, or near-copies of validation or test
    rows.

    Args:
        path: of the table.
        text_column: its column of texts.
        job: whose rows the texts are compared with.
        most: number of texts to keep; of more, a random sample.
        seed: seed of the samples.

    Returns:
        The texts in their order, and their description: "rows" read, "left_out" by reason, "used",
        and "balanced_accuracy" of a linear model that tells pile and training texts apart (0.5 is
        chance; None if they cannot be compared).

    Raises:
        UserError: the table cannot be read, has no such column, or no text is left.
    """
    own = {hash_text(normalize(text)): LABELLED for text in job.texts_and_class_ids("train")[0]}
    measured = job.measured_texts()
    own |= {hash_text(normalize(text)): MEASURED for text in measured}
    random = np.random.default_rng(seed)
    seen: set[str] = set()
    left_out: Counter[str] = Counter()
    sample: list[tuple[int, str]] = []
    rows = 0
    for chunk in read_chunks(path, Reading(), CHUNK_ROWS):
        column = find_column(chunk, text_column, path, "--text-column")
        texts = as_text(chunk[column]).tolist()
        for position, text in enumerate(texts, start=rows):
            key = hash_text(normalize(text))
            reason = BLANK if is_blank(text) else DUPLICATE if key in seen else own.get(key)
            if reason:
                left_out[reason] += 1
                continue
            seen.add(key)
            # Reservoir sampling (Vitter, 1985, algorithm R): each text is kept alike.
            if len(sample) < most:
                sample.append((position, text))
            elif (place := int(random.integers(len(seen)))) < most:
                sample[place] = (position, text)
        rows += len(texts)
    kept = [text for _, text in sorted(sample)]
    if kept:
        is_near = NearDuplicateIndex(measured).matches(kept)
        left_out[NEAR] += int(is_near.sum())
        kept = [text for text, near in zip(kept, is_near, strict=True) if not near]
    if not kept:
        reasons = ", ".join(f"{count} {reason}" for reason, count in (+left_out).items())
        raise UserError(
            f"{path} has no text to label: {rows} rows" + (f", {reasons}" if reasons else "")
        )
    return kept, {
        "rows": rows,
        "left_out": dict(+left_out),
        "used": len(kept),
        "balanced_accuracy": _compare(kept, job, seed),
    }


def _compare(texts: list[str], job: Job, seed: int) -> float | None:
    """Balanced accuracy of a linear model that tells texts and training texts apart."""
    random = np.random.default_rng(seed)
    both = [
        [part[i] for i in random.permutation(len(part))[:MOST_COMPARED]]
        for part in (texts, job.texts_and_class_ids("train")[0])
    ]
    if min(map(len, both)) < 10:
        return None
    names = np.repeat(["pile", "table"], [len(part) for part in both])
    everything = np.array(both[0] + both[1], dtype=object)
    found = tell_apart(everything, names, np.arange(len(names)), seed)
    return found.get("balanced_accuracy")
