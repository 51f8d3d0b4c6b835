"""New training rows: made, checked against the rows that are measured on, counted, and cached.

They are made once, before training, of training rows alone. A run keeps them, so that it goes on
after a kill with the very same rows.
"""

import contextlib
import json
from collections import Counter
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kerasclf.augmentation.pairs import read_pairs
from kerasclf.augmentation.parallel import change_texts
from kerasclf.augmentation.recipes import Material
from kerasclf.augmentation.shares import share_new_rows
from kerasclf.config import TrainConfig
from kerasclf.data.duplicates import NearCopies
from kerasclf.files import replacing

ROUNDS = 5
"""A new row that is dropped is made anew, from another row, this often."""
KEPT, COPY, LEAK = "", "copy of a training row", "near-copy of a validation or test row"
_CODE = 1
"""Changes whenever equal choices give other rows, so that none are taken from the cache."""


def augment_rows(
    config: TrainConfig, texts: list[str], classes: np.ndarray, measured: list[str]
) -> pd.DataFrame:
    """Makes new rows of training rows, or takes them from the user's cache.

    Args:
        config: the run's configuration, whose `augment` is not none.
        texts: n training texts.
        classes: int64 [n], their class ids.
        measured: texts of validation and test rows, of which no near-copy is to be learned from.

    Returns:
        A row for each text that was made: source (int64, place of the training row that it was made
        of), recipe, text, and dropped, the reason why it is not learned from, or "".

    Raises:
        UserError: a table of the user cannot be read.
    """
    import pooch

    material = _read_material(config, texts)
    total = max(1, round(config.augment_ratio * len(texts)))
    wanted = share_new_rows(np.bincount(classes), total, config.balance_classes)
    state = {
        "versions": [_CODE, version("nlpaug")],
        "choices": [config.recipes, config.seed, wanted.tolist()],
        "rows": [texts, classes.tolist(), measured],
        "tables": [material.lexicon, material.translations],
    }
    key = sha256(json.dumps(state).encode()).hexdigest()
    path = Path(pooch.os_cache("kerasclf")) / "augmented" / f"{key}.parquet"
    with contextlib.suppress(OSError, ValueError):
        return pd.read_parquet(path)
    frame = _make_rows(config, material, classes, measured, wanted)
    # Without a cache, rows are made each time.
    with contextlib.suppress(OSError), replacing(path) as beside:
        frame.to_parquet(beside, index=False)
    return frame


def extend(
    texts: list[str], classes: np.ndarray, augmented: pd.DataFrame | None
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Training rows and the new rows that were made of them.

    Returns:
        n + m texts; int64 [n + m], their class ids; and int64 [m], places among the n rows of those
        that the m new ones were made of.
    """
    if augmented is None:
        return texts, classes, np.zeros(0, dtype=np.int64)
    kept = augmented[augmented["dropped"] == KEPT]
    sources = kept["source"].to_numpy(dtype=np.int64)
    return [*texts, *kept["text"]], np.concatenate([classes, classes[sources]]), sources


def describe(augmented: pd.DataFrame) -> dict[str, Any]:
    """New rows by label and recipe, and what was made and dropped, for metrics.json.

    Args:
        augmented: frame of `augment_rows` with a column label.
    """
    kept = augmented[augmented["dropped"] == KEPT]
    dropped = Counter(augmented["dropped"][augmented["dropped"] != KEPT])
    return {
        "made": len(augmented),
        "kept": len(kept),
        "dropped": {reason: dropped[reason] for reason in (COPY, LEAK)},
        "kept_by_recipe": dict(sorted(Counter(kept["recipe"]).items())),
        "kept_by_label": dict(sorted(Counter(kept["label"]).items())),
    }


def _read_material(config: TrainConfig, texts: list[str]) -> Material:
    lexicon = translations = []
    if config.lexicon:
        lexicon = read_pairs(config.lexicon, "--lexicon", config.lexicon_encoding)
    if config.back_translation:
        translations = read_pairs(config.back_translation, "--back-translation")
    return Material(texts, lexicon, translations)


def _make_rows(
    config: TrainConfig,
    material: Material,
    classes: np.ndarray,
    measured: list[str],
    wanted: np.ndarray,
) -> pd.DataFrame:
    random = np.random.default_rng([config.seed, len(config.recipes)])
    # Each class goes through its rows again and again, so that all are used about equally often.
    orders = [random.permutation(np.flatnonzero(classes == i)) for i in range(len(wanted))]
    used = np.zeros_like(wanted)
    missing = wanted.copy()
    known = {_fold(text) for text in material.texts}
    near_copies = NearCopies(measured)
    frames = []
    for _ in range(ROUNDS):
        parts = [
            orders[i][np.arange(used[i], used[i] + count) % len(orders[i])]
            for i, count in enumerate(missing)
            if count
        ]
        if not parts:
            break
        used += missing
        sources = np.concatenate(parts)
        places = random.integers(len(config.recipes), size=len(sources))
        names = [config.recipes[place] for place in places]
        made = change_texts(
            [material.texts[i] for i in sources],
            names,
            random.integers(2**32, size=len(sources)).tolist(),
            material,
        )
        leaks = near_copies.find(made)
        dropped = []
        for text, leak in zip(map(_fold, made), leaks, strict=True):
            dropped.append(COPY if text in known or not text else LEAK if leak else KEPT)
            known.add(text)
        frame = {"source": sources, "recipe": names, "text": made, "dropped": dropped}
        frames.append(pd.DataFrame(frame))
        kept = classes[sources[np.array(dropped) == KEPT]]
        missing -= np.bincount(kept, minlength=len(missing))
    return pd.concat(frames, ignore_index=True)


def _fold(text: str) -> str:
    """The text with single spaces: recipes do not keep others."""
    return " ".join(text.split())
