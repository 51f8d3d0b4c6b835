"""Transfer sets: texts that nobody wrote, for teachers to label."""

import random

SHARE = 0.2, 0.7
"""Bounds of the share of a text's words that a cut of it has."""
MOST_WORDS = 25
"""Words of a cut at most: teachers read long texts slowly."""
MOST_REPLACED = 0.5
"""Bound of the share of words that are replaced."""


def mix_texts(texts: list[str], count: int, seed: int) -> list[str]:
    """Joins cuts of two texts; in every second text that is made, random words replace some.

    Words stand beside words that they never stood beside, so that what a teacher says of many such
    texts tells what it holds of each word. Words are what stands between spaces; a text without
    spaces is cut nowhere.

    Args:
        texts: training texts, of which the random words are, too; blank ones are left out.
        count: how many texts to make.
        seed: of every draw.

    Returns:
        `count` texts.
    """
    draw = random.Random(seed)
    split = [words for text in texts if (words := text.split())]
    every = [word for words in split for word in words]

    def cut() -> list[str]:
        words = draw.choice(split)
        size = max(2, min(MOST_WORDS, round(len(words) * draw.uniform(*SHARE))))
        start = draw.randint(0, max(0, len(words) - size))
        return words[start : start + size]

    mixed = []
    for number in range(count):
        words = cut() + cut()
        if number % 2:
            share = draw.uniform(0, MOST_REPLACED)
            words = [draw.choice(every) if draw.random() < share else word for word in words]
        mixed.append(" ".join(words))
    return mixed
