"""Perturbations of texts that leave them readable to people, and what they cost a classifier.

Each text is changed from the seed, the attack's name and its own place alone, so that two runs with
the same test rows are measured on the very same perturbed texts. The strength is fixed: three in
ten letters or words.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasclf.augmentation.recipes import swap_words
from kerasclf.decision.rule import Decision
from kerasclf.evaluation.bootstrap import compare, measure

Attack = Callable[[str, random.Random], str]

LETTER_SHARE = 0.3
WORD_SHARE = 0.3
MOST_REPEATS = 4

LEET = dict(zip("abegiostABEGIOST", "48391057" * 2, strict=True))
# Cyrillic letters, and a Greek one, that most fonts draw as they draw the Latin ones.
HOMOGLYPHS = dict(zip("aceiopsxyjhv", "асеіорѕхујһν", strict=True))
HOMOGLYPHS |= dict(zip("ABCEHIJKMOPSTXY", "АВСЕНІЈКМОРЅТХУ", strict=True))


def make_attacks(slang: dict[str, list[str]]) -> dict[str, Attack]:
    """The attacks by name.

    Args:
        slang: slang forms by formal word in lower case; without any there is no attack by slang.
    """
    attacks: dict[str, Attack] = {
        "leet": lambda text, draw: _replace_letters(text, LEET, draw),
        "repeat": lambda text, draw: _change_words(text, _repeat_letter, draw),
        "spacing": _change_spaces,
        "homoglyph": lambda text, draw: _replace_letters(text, HOMOGLYPHS, draw),
        "case": _change_case,
        "typo": lambda text, draw: _change_words(text, _mistype, draw),
    }
    if slang:
        attacks["slang"] = lambda text, draw: swap_words(text, slang, 1.0, draw)
    return attacks


def perturb(texts: list[str], name: str, attack: Attack, seed: int) -> list[str]:
    """Perturbs n texts by the attack of that name."""
    return [attack(text, random.Random(f"{seed} {name} {i}")) for i, text in enumerate(texts)]


def measure_attacks(
    texts: list[str],
    classes: np.ndarray,
    logits: Callable[[list[str]], np.ndarray],
    decision: Decision,
    attacks: dict[str, Attack],
    seed: int,
) -> dict[str, Any]:
    """Measures decisions on n texts as they are, and under each attack.

    Args:
        texts: n strings.
        classes: int [n], true class ids.
        logits: n strings to float [n, classes].
        decision: logits to class ids.
        attacks: by name.
        seed: of the perturbations and of the bootstrap.

    Returns:
        "clean" with "macro_f1" and its 95 % interval, and "attacks": for each the same,
        "difference" to the clean texts by a paired bootstrap, "changed", the share of texts that
        the attack changes at all, and an "example" of the first one.
    """

    def decide(of: list[str]) -> tuple[np.ndarray, dict[str, float]]:
        found = logits(of)
        decided = decision.decide(found)
        measures = measure(classes, decided, decision.log_probabilities(found), False, seed)
        return decided, measures["macro_f1"]

    clean, clean_f1 = decide(texts)
    count = len(decision.offsets)
    measured = {}
    for name, attack in attacks.items():
        perturbed = perturb(texts, name, attack, seed)
        decided, macro_f1 = decide(perturbed)
        pairs = [pair for pair in zip(texts, perturbed, strict=True) if pair[0] != pair[1]]
        measured[name] = {
            "macro_f1": macro_f1,
            "difference": compare(classes, decided, clean, count, seed),
            "changed": len(pairs) / len(texts),
            "example": list(pairs[0]) if pairs else None,
        }
    return {"rows": len(texts), "clean": {"macro_f1": clean_f1}, "attacks": measured}


def _replace_letters(text: str, table: dict[str, str], draw: random.Random) -> str:
    return "".join(table[c] if c in table and draw.random() < LETTER_SHARE else c for c in text)


def _change_case(text: str, draw: random.Random) -> str:
    return "".join(c.swapcase() if draw.random() < LETTER_SHARE else c for c in text)


def _change_words(
    text: str, change: Callable[[str, random.Random], str], draw: random.Random
) -> str:
    words = text.split(" ")
    return " ".join(change(w, draw) if w and draw.random() < WORD_SHARE else w for w in words)


def _repeat_letter(word: str, draw: random.Random) -> str:
    place = draw.randrange(len(word))
    return word[:place] + word[place] * draw.randint(2, MOST_REPEATS) + word[place + 1 :]


def _mistype(word: str, draw: random.Random) -> str:
    """Swaps two neighbours, or leaves a letter out; a word of one letter stays."""
    if len(word) < 2:
        return word
    place = draw.randrange(len(word) - 1)
    swapped = word[place + 1] + word[place] if draw.random() < 0.5 else word[place + 1]
    return word[:place] + swapped + word[place + 2 :]


def _change_spaces(text: str, draw: random.Random) -> str:
    """Joins a word with the next one, or breaks it in two."""
    parts: list[str] = []
    for word in text.split(" "):
        if draw.random() >= WORD_SHARE:
            parts += [word, " "]
        elif len(word) < 2 or draw.random() < 0.5:
            parts += [word]
        else:
            place = draw.randrange(1, len(word))
            parts += [word[:place], " ", word[place:], " "]
    return "".join(parts).strip(" ")
