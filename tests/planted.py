"""Generated tables whose sources have planted properties."""

import numpy as np
import pandas as pd

LABELS = ("low", "middle", "high")


def make_rows(
    source: str,
    count: int,
    random: np.random.Generator,
    vocabulary: str = "w",
    noise: float = 0.45,
    shift: int = 0,
) -> pd.DataFrame:
    """Texts of twelve words, of which four are cues of a class.

    Args:
        source: name of the source.
        count: number of rows.
        random: generator of labels and words.
        vocabulary: begins every word: sources with other vocabularies have nothing to do with each
            other.
        noise: probability that a cue is one of a random class.
        shift: added to the class, so that 1 labels every text wrongly.
    """
    class_ids = np.arange(count) % len(LABELS)
    texts = []
    for class_id in class_ids:
        cues = [
            f"{vocabulary}cue{random.integers(3) if random.random() < noise else class_id}"
            f"x{random.integers(12)}"
            for _ in range(4)
        ]
        words = [*cues, *(f"{vocabulary}{random.integers(200)}" for _ in range(8))]
        texts.append(" ".join(random.permutation(words)))
    labels = [LABELS[(class_id + shift) % len(LABELS)] for class_id in class_ids]
    return pd.DataFrame({"text": texts, "label": labels, "source": source})


def make_table(seed: int, *names: str, rows: int = 500) -> pd.DataFrame:
    """Rows that are trusted ("manual"), and rows of other sources.

    Args:
        seed: of the rows.
        *names: "easy" (own words, never a wrong cue), "useless" (own words, hard), "harmful" (the
            words of trusted rows with wrong labels), "alike" (as trusted rows).
        rows: rows of each source.
    """
    random = np.random.default_rng(seed)
    planted = {
        "easy": {"vocabulary": "e", "noise": 0.0},
        "useless": {"vocabulary": "u"},
        "harmful": {"shift": 1},
        "alike": {},
    }
    tables = [make_rows("manual", rows, random)]
    tables += [make_rows(name, rows, random, **planted[name]) for name in names]
    return pd.concat(tables, ignore_index=True)
