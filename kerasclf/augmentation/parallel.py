"""Recipes in several processes; a text depends on its own seed, so their number does not matter."""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from kerasclf.augmentation.recipes import Material, Recipe, change, make_recipe

TEXTS_A_PROCESS = 50_000
"""A process takes seconds to start; with fewer texts each, more of them take longer."""
CHUNK = 2_000

_recipes: dict[str, Recipe] = {}
"""Of a worker process."""


def change_texts(
    texts: Sequence[str], names: Sequence[str], seeds: Sequence[int], material: Material
) -> list[str]:
    """Changes n texts, each by the recipe of its name and from its seed.

    Args:
        texts: n strings.
        names: n names of recipes.
        seeds: n numbers below 2^32.
        material: what the recipes are made of.

    Returns:
        n strings.
    """
    processes = min(os.cpu_count() or 1, len(texts) // TEXTS_A_PROCESS)
    used = sorted(set(names))
    if processes < 2:
        return change(texts, names, seeds, {name: make_recipe(name, material) for name in used})
    starts = range(0, len(texts), CHUNK)
    parts = [[of[i : i + CHUNK] for i in starts] for of in (texts, names, seeds)]
    with ProcessPoolExecutor(
        processes,
        # A fork would copy the threads of TensorFlow, if it is there, in the middle of their work.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_make_recipes,
        initargs=(used, material),
    ) as pool:
        return [text for part in pool.map(_change_part, *parts) for text in part]


def _make_recipes(names: list[str], material: Material) -> None:
    _recipes.update({name: make_recipe(name, material) for name in names})


def _change_part(texts: Sequence[str], names: Sequence[str], seeds: Sequence[int]) -> list[str]:
    return change(texts, names, seeds, _recipes)
