"""Recipes applied in several processes; the result does not depend on their number."""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from kerasclf.augmentation.recipes import Recipe, Resources, apply_recipes, make_recipe

TEXTS_PER_PROCESS = 50_000
"""With fewer texts per process, starting it, which takes seconds, costs more than it saves."""
CHUNK = 2_000

_recipes: dict[str, Recipe] = {}
"""The recipes of a worker process, by name."""


def augment_texts(
    texts: Sequence[str], names: Sequence[str], seeds: Sequence[int], resources: Resources
) -> list[str]:
    """Applies one recipe to each text.

    Args:
        texts: n strings.
        names: n names of recipes.
        seeds: n integers below 2^32; an output depends on the text, the recipe and the seed alone.
        resources: what the recipes use.

    Returns:
        n strings.
    """
    processes = min(os.cpu_count() or 1, len(texts) // TEXTS_PER_PROCESS)
    used = sorted(set(names))
    if processes < 2:
        recipes = {name: make_recipe(name, resources) for name in used}
        return apply_recipes(texts, names, seeds, recipes)
    starts = range(0, len(texts), CHUNK)
    chunks = [[values[i : i + CHUNK] for i in starts] for values in (texts, names, seeds)]
    with ProcessPoolExecutor(
        processes,
        # A fork would copy the threads of TensorFlow, if it is loaded, in an undefined state.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_make_recipes,
        initargs=(used, resources),
    ) as pool:
        return [text for chunk in pool.map(_augment_chunk, *chunks) for text in chunk]


def _make_recipes(names: list[str], resources: Resources) -> None:
    _recipes.update({name: make_recipe(name, resources) for name in names})


def _augment_chunk(texts: Sequence[str], names: Sequence[str], seeds: Sequence[int]) -> list[str]:
    return apply_recipes(texts, names, seeds, _recipes)
