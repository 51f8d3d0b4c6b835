"""Augmented training rows: created, filtered, counted and cached.

They are created once, before training, from training rows alone. Copies of training rows and
near-duplicates of validation or test rows are dropped. A run stores its augmented rows, so that it
resumes with exactly the same ones.
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
from kerasclf.augmentation.parallel import augment_texts
from kerasclf.augmentation.recipes import Resources
from kerasclf.augmentation.shares import share_new_rows
from kerasclf.config import TrainConfig
from kerasclf.data.duplicates import NearDuplicateIndex
from kerasclf.files import replacing

ROUNDS = 5
"""Rounds of creation; each replaces what the previous one dropped, from other training rows."""
KEPT, COPY, LEAK = "", "copy of a training row", "near-copy of a validation or test row"
_CODE = 1
"""Part of the cache key; to be raised when a change of this code changes the rows."""


def augment_rows(
    config: TrainConfig, texts: list[str], class_ids: np.ndarray, held_out: list[str]
) -> pd.DataFrame:
    """Creates augmented rows from training rows, or reads them from the user's cache.

    Args:
        config: the run's configuration, whose `augment` is not none.
        texts: n training texts.
        class_ids: int64 [n].
        held_out: validation and test texts; near-duplicates of them are dropped.

    Returns:
        A row for each created text: source (int64, index of the training row that it comes from),
        recipe, text, and dropped, the reason why it is not used, or "".

    Raises:
        UserError: the lexicon or the table of back-translations cannot be read.
    """
    import pooch

    resources = _read_resources(config, texts)
    total = max(1, round(config.augment_ratio * len(texts)))
    shares = share_new_rows(np.bincount(class_ids), total, config.balance_classes)
    state = {
        "versions": [_CODE, version("nlpaug")],
        "choices": [config.recipes, config.seed, shares.tolist()],
        "rows": [texts, class_ids.tolist(), held_out],
        "tables": [resources.lexicon, resources.translations],
    }
    key = sha256(json.dumps(state).encode()).hexdigest()
    path = Path(pooch.os_cache("kerasclf")) / "augmented" / f"{key}.parquet"
    with contextlib.suppress(OSError, ValueError):
        return pd.read_parquet(path)
    frame = make_new_rows(config, resources, class_ids, held_out, shares)
    # If the cache cannot be written, the rows are created each time.
    with contextlib.suppress(OSError), replacing(path) as beside:
        frame.to_parquet(beside, index=False)
    return frame


def extend(
    texts: list[str], class_ids: np.ndarray, augmented: pd.DataFrame | None
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Appends augmented rows to the training rows.

    Args:
        texts: n training texts.
        class_ids: int64 [n].
        augmented: frame of `augment_rows`; None without augmentation.

    Returns:
        The n + m texts; int64 [n + m], their class ids; and int64 [m], the index of the training
        row that each augmented row comes from.
    """
    if augmented is None:
        return texts, class_ids, np.zeros(0, dtype=np.int64)
    kept = augmented[augmented["dropped"] == KEPT]
    sources = kept["source"].to_numpy(dtype=np.int64)
    return [*texts, *kept["text"]], np.concatenate([class_ids, class_ids[sources]]), sources


def describe(augmented: pd.DataFrame) -> dict[str, Any]:
    """Counts of created, dropped and kept rows, by reason, recipe and label, for metrics.json.

    Args:
        augmented: frame of `augment_rows`, with a column label besides.
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


def make_new_rows(
    config: TrainConfig,
    resources: Resources,
    class_ids: np.ndarray,
    held_out: list[str],
    shares: np.ndarray,
) -> pd.DataFrame:
    """Creates augmented rows, without the cache.

    Args:
        config: supplies the recipes and the seed.
        resources: n training texts, and the user's tables.
        class_ids: int64 [n].
        held_out: validation and test texts.
        shares: int64 [num_classes], rows to create of each class; fewer are kept if recipes change
            too few texts.

    Returns:
        The frame of `augment_rows`.
    """
    random = np.random.default_rng([config.seed, len(config.recipes)])
    # Each class cycles through its rows, so that all are used about equally often.
    orders = [random.permutation(np.flatnonzero(class_ids == i)) for i in range(len(shares))]
    used = np.zeros_like(shares)
    missing = shares.copy()
    seen = {_fold(text) for text in resources.texts}
    held_out_index = NearDuplicateIndex(held_out)
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
        names = [config.recipes[i] for i in random.integers(len(config.recipes), size=len(sources))]
        texts = augment_texts(
            [resources.texts[i] for i in sources],
            names,
            random.integers(2**32, size=len(sources)).tolist(),
            resources,
        )
        dropped = []
        for text, leaks in zip(map(_fold, texts), held_out_index.matches(texts), strict=True):
            dropped.append(COPY if text in seen or not text else LEAK if leaks else KEPT)
            seen.add(text)
        frame = {"source": sources, "recipe": names, "text": texts, "dropped": dropped}
        frames.append(pd.DataFrame(frame))
        kept = class_ids[sources[np.array(dropped) == KEPT]]
        missing -= np.bincount(kept, minlength=len(missing))
    return pd.concat(frames, ignore_index=True)


def _fold(text: str) -> str:
    """The text with single spaces, since recipes do not preserve others."""
    return " ".join(text.split())


def _read_resources(config: TrainConfig, texts: list[str]) -> Resources:
    lexicon = translations = []
    if config.lexicon:
        lexicon = read_pairs(config.lexicon, "--lexicon", config.lexicon_encoding)
    if config.back_translation:
        translations = read_pairs(config.back_translation, "--back-translation")
    return Resources(texts, lexicon, translations)
