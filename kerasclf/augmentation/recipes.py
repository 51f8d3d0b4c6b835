"""Recipes: how a new text is made of an old one. Their names are those of `--augment`.

| name | |
| --- | --- |
| keyboard | keys beside the right ones |
| ocr | characters that a scanner takes for one another |
| character | characters swapped or left out |
| word | words swapped or left out |
| tfidf | words that say little give way to others that say little (Xie et al., Unsupervised Data |
| | Augmentation for Consistency Training, 2019, https://arxiv.org/abs/1904.12848) |
| lexicon | a word gives way to another form of it, from the user's lexicon, in either direction |
| back-translation | the text gives way to its back-translation, from the user's table |

All draw from the global generators of `random` and of numpy, as nlpaug does; `change` seeds them.
"""

import random
import string
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from kerasclf.augmentation.pairs import Pairs, group_pairs

Recipe = Callable[[str], str]

CHARACTER_SHARE = 0.1
WORD_SHARE = 0.2
WORD_NOISE_SHARE = 0.1


@dataclass(frozen=True)
class Material:
    """What recipes are made of.

    Attributes:
        texts: training texts, and no others: whatever is fitted is fitted on them.
        lexicon: words and other forms of them.
        translations: texts and their back-translations.
    """

    texts: list[str]
    lexicon: Pairs = field(default_factory=list)
    translations: Pairs = field(default_factory=list)


def make_recipe(name: str, material: Material) -> Recipe:
    """The recipe of that name; the text comes back as it is where nothing can be changed."""
    makers = {
        "keyboard": _make_keyboard,
        "ocr": _make_ocr,
        "character": _make_character,
        "word": _make_word,
        "tfidf": _make_tfidf,
        "lexicon": _make_lexicon,
        "back-translation": _make_back_translation,
    }
    return makers[name](material)


def change(
    texts: Sequence[str],
    names: Sequence[str],
    seeds: Sequence[int],
    recipes: dict[str, Recipe],
) -> list[str]:
    """Changes each text by its recipe and from its seed, whatever stands before it.

    The global generators are put back to where they were.
    """
    states = random.getstate(), np.random.get_state()
    found = []
    try:
        for text, name, seed in zip(texts, names, seeds, strict=True):
            random.seed(seed)
            np.random.seed(seed)
            found.append(recipes[name](text))
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
    return found


# nlpaug's own tokenizer splits at every character that is no letter or digit, and joins with
# spaces: "@user" would become "@ user", and a word of Tamil or Hindi would fall apart.
_TOKENS = {"tokenizer": str.split, "reverse_tokenizer": " ".join}
_CHARACTERS = {"aug_char_p": CHARACTER_SHARE, "aug_word_p": WORD_SHARE, "min_char": 2, **_TOKENS}


def _import_word_augmenters() -> ModuleType:
    """`nlpaug.augmenter.word`, without the packages that it takes along where they are installed.

    They are for augmenters that are not used here, take seconds, and PyTorch ends a process that
    TensorFlow is in.
    """
    hidden = [name for name in ("torch", "transformers") if name not in sys.modules]
    # None there makes an import fail, which nlpaug expects.
    sys.modules.update(dict.fromkeys(hidden))
    try:
        import nlpaug.augmenter.word as naw
    finally:
        for name in hidden:
            del sys.modules[name]
    return naw


def _first(augmenter) -> Recipe:
    """An nlpaug augmenter as a recipe; it answers a blank text with an empty list."""
    return lambda text: (augmenter.augment(text) or [text])[0]


def _any(recipes: list[Recipe]) -> Recipe:
    return lambda text: random.choice(recipes)(text)


def _make_keyboard(material: Material) -> Recipe:
    import nlpaug.augmenter.char as nac

    return _first(nac.KeyboardAug(include_special_char=False, include_numeric=False, **_CHARACTERS))


def _make_ocr(material: Material) -> Recipe:
    import nlpaug.augmenter.char as nac

    return _first(nac.OcrAug(aug_char_min=1, **_CHARACTERS))


def _make_character(material: Material) -> Recipe:
    import nlpaug.augmenter.char as nac

    # None are put in: nlpaug takes them from one list for all texts, whatever their script.
    noises = [nac.RandomCharAug(action=action, **_CHARACTERS) for action in ("swap", "delete")]
    return _any([_first(noise) for noise in noises])


def _make_word(material: Material) -> Recipe:
    naw = _import_word_augmenters()

    noises = [
        naw.RandomWordAug(action=a, aug_p=WORD_NOISE_SHARE, **_TOKENS) for a in ("swap", "delete")
    ]

    def tidy(recipe: Recipe) -> Recipe:
        # A deleted word leaves an empty token behind.
        return lambda text: " ".join(recipe(text).split())

    return _any([tidy(_first(noise)) for noise in noises])


def _make_tfidf(material: Material) -> Recipe:
    naw = _import_word_augmenters()
    from nlpaug.model.word_stats import TfIdf

    class FittedTfIdf(TfIdf):
        """nlpaug's statistics, with draws that do not add up the whole vocabulary each time."""

        def train(self, data: list[list[str]]) -> None:
            super().train(data)
            self._ends = np.cumsum(self.tfidf_scores)

        @classmethod
        def _normalize(cls, data: np.ndarray) -> np.ndarray:
            # nlpaug fails where all words say equally much.
            gaps = data.max() - data
            return gaps / gaps.sum() if gaps.any() else np.full(len(data), 1 / len(data))

        def predict(self, data: str, top_k: int) -> list[str]:
            places = np.searchsorted(self._ends, np.random.random(top_k) * self._ends[-1])
            return [self.tokens[place] for place in places]

    # A token twice in a text counts once: nlpaug takes the number of tokens for that of texts.
    tokens = [list(dict.fromkeys(text.split())) for text in material.texts]
    model = FittedTfIdf()
    model.train([found for found in tokens if found])

    class FittedTfIdfAug(naw.TfIdfAug):
        """nlpaug's augmenter, which would else read its statistics once a process."""

        def get_model(self, force_reload: bool = False) -> FittedTfIdf:
            return model

    return _first(FittedTfIdfAug(aug_p=WORD_SHARE, **_TOKENS))


def _make_lexicon(material: Material) -> Recipe:
    # Not by nlpaug's ReservedAug: it searches each phrase of a lexicon in each text, inside words,
    # too, and takes it for a pattern.
    forms = group_pairs([*material.lexicon, *((b, a) for a, b in material.lexicon)])
    return lambda text: swap_words(text, forms, WORD_SHARE, random)


def swap_words(
    text: str, forms: dict[str, list[str]], share: float, generator: random.Random
) -> str:
    """Swaps words for other forms of them: that share of those with other forms, at least one.

    Case is not looked at, and punctuation around a word stays.

    Args:
        text: any string; without a word that has other forms it comes back as it is.
        forms: other forms by word in lower case.
        share: between 0 and 1.
        generator: what is drawn from; the module `random` does, too.
    """
    words = text.split()
    cores = [word.strip(string.punctuation) for word in words]
    known = [place for place, core in enumerate(cores) if core.lower() in forms]
    if not known:
        return text
    for place in generator.sample(known, max(1, round(share * len(known)))):
        core = cores[place]
        words[place] = words[place].replace(core, generator.choice(forms[core.lower()]), 1)
    return " ".join(words)


def _make_back_translation(material: Material) -> Recipe:
    translated: dict[str, list[str]] = {}
    for text, back in material.translations:
        translated.setdefault(text, []).append(back)
    return lambda text: random.choice(translated.get(text.strip(), [text]))
