"""Transfer sets: texts without labels that the teachers of a student label."""

import random

SHARE = 0.2, 0.7
"""Lowest and highest share of a text's words in an excerpt of it."""
MOST_WORDS = 25
"""Maximum number of words of an excerpt: teachers are slow on long texts."""
MOST_REPLACED = 0.5
"""Highest share of the words that are replaced."""


def mix_texts(texts: list[str], count: int, seed: int) -> list[str]:
    """Generates texts: each joins excerpts of two texts; in every second one, random words replace
    some of its words.

    Words appear beside words that they never appeared beside, so that the predictions of a teacher
    for many such texts reveal what it learned of each word. Words are separated by spaces; a text
    without spaces is one word.

    Args:
        texts: training texts, which the random words come from as well; blank ones are ignored.
        count: number of texts to generate.
        seed: seed of the generator.

    Returns:
        `count` texts.
    """
    draw = random.Random(seed)
    split = [words for text in texts if (words := text.split())]
    vocabulary = [word for words in split for word in words]

    def excerpt() -> list[str]:
        words = draw.choice(split)
        size = max(2, min(MOST_WORDS, round(len(words) * draw.uniform(*SHARE))))
        start = draw.randint(0, max(0, len(words) - size))
        return words[start : start + size]

    mixed = []
    for number in range(count):
        words = excerpt() + excerpt()
        if number % 2:
            share = draw.uniform(0, MOST_REPLACED)
            words = [draw.choice(vocabulary) if draw.random() < share else word for word in words]
        mixed.append(" ".join(words))
    return mixed
