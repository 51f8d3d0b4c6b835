"""Perturbations of texts that leave them readable, and what they cost a classifier.

A perturbed text depends on the seed, the attack's name and the text's position alone, so that two
runs with the same test rows are measured on the same perturbed texts. The strength is fixed: three
in ten letters or words.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasclf.augmentation.recipes import swap_words
from kerasclf.console import say_status
from kerasclf.decision.rule import Decision
from kerasclf.statistics.bootstrap import Estimate, compare, measure

Attack = Callable[[str, random.Random], str]

LETTER_SHARE = 0.3
WORD_SHARE = 0.3
MAX_REPEATS = 4

LEET = dict(zip("abegiostABEGIOST", "48391057" * 2, strict=True))
# Cyrillic letters, and a Greek one, that most fonts draw like the Latin ones.
HOMOGLYPHS = dict(zip("aceiopsxyjhv", "асеіорѕхујһν", strict=True))
HOMOGLYPHS |= dict(zip("ABCEHIJKMOPSTXY", "АВСЕНІЈКМОРЅТХУ", strict=True))


def make_attacks(slang: dict[str, list[str]] | None = None) -> dict[str, Attack]:
    """The attacks by name.

    Args:
        slang: slang forms by formal word in lower case; without any there is no slang attack.
    """
    attacks: dict[str, Attack] = {
        "leet": lambda text, generator: _replace_letters(text, LEET, generator),
        "repeat": lambda text, generator: _change_words(text, _repeat_letter, generator),
        "spacing": _change_spaces,
        "homoglyph": lambda text, generator: _replace_letters(text, HOMOGLYPHS, generator),
        "case": _change_case,
        "typo": lambda text, generator: _change_words(text, _mistype, generator),
    }
    if slang:
        attacks["slang"] = lambda text, generator: swap_words(text, slang, 1.0, generator)
    return attacks


def perturb(texts: list[str], name: str, attack: Attack, seed: int) -> list[str]:
    """Perturbs n texts by the attack of that name."""
    return [attack(text, random.Random(f"{seed} {name} {i}")) for i, text in enumerate(texts)]


def perturb_in_turn(texts: list[str], seed: int = 0) -> list[str]:
    """Perturbs n texts: the first by the first attack, the second by the second, and so on."""
    attacks = list(make_attacks().items())
    perturbed = list(texts)
    for place, (name, attack) in enumerate(attacks):
        mine = slice(place, None, len(attacks))
        perturbed[mine] = perturb(texts[mine], name, attack, seed)
    return perturbed


def measure_attacks(
    texts: list[str],
    class_ids: np.ndarray,
    logits: Callable[[list[str]], np.ndarray],
    decision: Decision,
    attacks: dict[str, Attack],
    seed: int,
) -> dict[str, Any]:
    """Measures decisions on n texts, unperturbed and under each attack.

    Args:
        texts: n strings.
        class_ids: int64 [n], true class ids.
        logits: n strings to float [n, num_classes].
        decision: logits to class ids.
        attacks: by name.
        seed: of the perturbations and of the bootstrap.

    Returns:
        "rows"; "clean" with "macro_f1" and its 95 % interval; and "attacks": for each "macro_f1",
        its "difference" to the clean texts by a paired bootstrap, "changed", the share of texts
        that the attack changes, and an "example", the first of them before and after.
    """

    def predict(texts: list[str]) -> tuple[np.ndarray, Estimate]:
        scores = logits(texts)
        predicted = decision.decide(scores)
        metrics = measure(
            class_ids, predicted, decision.log_probabilities(scores), ordered=False, seed=seed
        )
        return predicted, metrics["macro_f1"]

    clean, clean_f1 = predict(texts)
    num_classes = len(decision.offsets)
    results = {}
    for name, attack in attacks.items():
        say_status(f"attack: {name}")
        perturbed = perturb(texts, name, attack, seed)
        predicted, macro_f1 = predict(perturbed)
        changed = [pair for pair in zip(texts, perturbed, strict=True) if pair[0] != pair[1]]
        results[name] = {
            "macro_f1": macro_f1,
            "difference": compare(class_ids, predicted, clean, num_classes, seed),
            "changed": len(changed) / len(texts),
            "example": list(changed[0]) if changed else None,
        }
    return {"rows": len(texts), "clean": {"macro_f1": clean_f1}, "attacks": results}


def _replace_letters(text: str, table: dict[str, str], generator: random.Random) -> str:
    return "".join(
        table[c] if c in table and generator.random() < LETTER_SHARE else c for c in text
    )


def _change_case(text: str, generator: random.Random) -> str:
    return "".join(c.swapcase() if generator.random() < LETTER_SHARE else c for c in text)


def _change_words(
    text: str, change: Callable[[str, random.Random], str], generator: random.Random
) -> str:
    return " ".join(
        change(word, generator) if word and generator.random() < WORD_SHARE else word
        for word in text.split(" ")
    )


def _repeat_letter(word: str, generator: random.Random) -> str:
    i = generator.randrange(len(word))
    return word[:i] + word[i] * generator.randint(2, MAX_REPEATS) + word[i + 1 :]


def _mistype(word: str, generator: random.Random) -> str:
    """Swaps two neighbouring letters or drops one; a word of one letter is unchanged."""
    if len(word) < 2:
        return word
    i = generator.randrange(len(word) - 1)
    swapped = word[i + 1] + word[i] if generator.random() < 0.5 else word[i + 1]
    return word[:i] + swapped + word[i + 2 :]


def _change_spaces(text: str, generator: random.Random) -> str:
    """Joins words with the next one, or breaks them in two."""
    parts: list[str] = []
    for word in text.split(" "):
        if generator.random() >= WORD_SHARE:
            parts += [word, " "]
        elif len(word) < 2 or generator.random() < 0.5:
            parts += [word]
        else:
            i = generator.randrange(1, len(word))
            parts += [word[:i], " ", word[i:], " "]
    return "".join(parts).strip(" ")
