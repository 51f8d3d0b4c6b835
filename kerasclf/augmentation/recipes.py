"""Augmentation recipes: how a new text is derived from a training text, by their `--augment` name.

| name | what changes |
| --- | --- |
| keyboard | characters become neighbours on the keyboard |
| ocr | characters become ones that OCR confuses with them |
| character | characters are swapped or deleted |
| word | words are swapped or deleted |
| tfidf | words with a low TF-IDF become other such words (Xie et al., Unsupervised Data |
| | Augmentation for Consistency Training, 2019, https://arxiv.org/abs/1904.12848) |
| lexicon | words become other forms from the user's lexicon, in either direction |
| back-translation | the text becomes its back-translation from the user's table |

To add one, write a function that makes it, and name it in `make_recipe` and in `config.RECIPES`.
Recipes draw from the global generators of `random` and numpy, as nlpaug does; `apply_recipes` seeds
both.
"""

import random
import string
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kerasclf.augmentation.pairs import Pairs, group_pairs

if TYPE_CHECKING:
    from nlpaug import Augmenter

Recipe = Callable[[str], str]

CHARACTER_SHARE = 0.1
WORD_SHARE = 0.2
WORD_NOISE_SHARE = 0.1


@dataclass(frozen=True)
class Resources:
    """What recipes are fitted on or look up.

    Attributes:
        texts: training texts alone, so that nothing is fitted on validation or test rows.
        lexicon: pairs of words that mean the same.
        translations: pairs of a text and its back-translation.
    """

    texts: list[str]
    lexicon: Pairs = field(default_factory=list)
    translations: Pairs = field(default_factory=list)


def make_recipe(name: str, resources: Resources) -> Recipe:
    """Makes the recipe of a name; it returns a text unchanged if nothing in it can change."""
    makers = {
        "keyboard": _make_keyboard,
        "ocr": _make_ocr,
        "character": _make_character,
        "word": _make_word,
        "tfidf": _make_tfidf,
        "lexicon": _make_lexicon,
        "back-translation": _make_back_translation,
    }
    return makers[name](resources)


def apply_recipes(
    texts: Sequence[str],
    names: Sequence[str],
    seeds: Sequence[int],
    recipes: dict[str, Recipe],
) -> list[str]:
    """Applies one recipe to each text, seeded for each text alone.

    The state of the global generators is restored afterwards.

    Args:
        texts: n strings.
        names: n names of recipes.
        seeds: n integers below 2^32.
        recipes: by name.

    Returns:
        n strings.
    """
    states = random.getstate(), np.random.get_state()
    new_texts = []
    try:
        for text, name, seed in zip(texts, names, seeds, strict=True):
            random.seed(seed)
            np.random.seed(seed)
            new_texts.append(recipes[name](text))
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
    return new_texts


# nlpaug's own tokenizer splits at every character that is not a letter or digit, and joins with
# spaces: "@user" would become "@ user", and words in Tamil or Hindi would fall apart.
_TOKENS = {"tokenizer": str.split, "reverse_tokenizer": " ".join}
_CHARACTERS = {"aug_char_p": CHARACTER_SHARE, "aug_word_p": WORD_SHARE, "min_char": 2, **_TOKENS}


def _import_word_augmenters() -> Any:
    """Imports `nlpaug.augmenter.word` without PyTorch and transformers.

    nlpaug imports them if they are installed, for augmenters that are not used here. That takes
    seconds, and PyTorch crashes a process that has loaded TensorFlow.
    """
    hidden = [name for name in ("torch", "transformers") if name not in sys.modules]
    # A module that is None in sys.modules cannot be imported; nlpaug handles the ImportError.
    sys.modules.update(cast("dict[str, ModuleType]", dict.fromkeys(hidden)))
    try:
        import nlpaug.augmenter.word as naw
    finally:
        for name in hidden:
            del sys.modules[name]
    return naw


def _as_recipe(augmenter: "Augmenter") -> Recipe:
    """A recipe from an nlpaug augmenter, which returns an empty list for a blank text."""
    return lambda text: (augmenter.augment(text) or [text])[0]


def _choose(recipes: list[Recipe]) -> Recipe:
    """A recipe that applies one of several at random."""
    return lambda text: random.choice(recipes)(text)


def _make_keyboard(resources: Resources) -> Recipe:
    import nlpaug.augmenter.char as nac

    keyboard = nac.KeyboardAug(include_special_char=False, include_numeric=False, **_CHARACTERS)
    return _as_recipe(keyboard)


def _make_ocr(resources: Resources) -> Recipe:
    import nlpaug.augmenter.char as nac

    return _as_recipe(nac.OcrAug(aug_char_min=1, **_CHARACTERS))


def _make_character(resources: Resources) -> Recipe:
    import nlpaug.augmenter.char as nac

    # No insertions: nlpaug draws the characters from one list, whatever the script of the text.
    noises = [nac.RandomCharAug(action=action, **_CHARACTERS) for action in ("swap", "delete")]
    return _choose([_as_recipe(noise) for noise in noises])


def _make_word(resources: Resources) -> Recipe:
    naw = _import_word_augmenters()

    noises = [
        naw.RandomWordAug(action=a, aug_p=WORD_NOISE_SHARE, **_TOKENS) for a in ("swap", "delete")
    ]

    def tidy(recipe: Recipe) -> Recipe:
        # A deleted word leaves an empty token.
        return lambda text: " ".join(recipe(text).split())

    return _choose([tidy(_as_recipe(noise)) for noise in noises])


def _make_tfidf(resources: Resources) -> Recipe:
    naw = _import_word_augmenters()
    from nlpaug.model.word_stats import TfIdf

    class FittedTfIdf(TfIdf):
        """nlpaug's TF-IDF model, with draws that do not sum over the whole vocabulary each time."""

        def train(self, data: list[list[str]]) -> None:
            super().train(data)
            self._cumulative = np.cumsum(self.tfidf_scores)

        @classmethod
        def _normalize(cls, data: np.ndarray) -> np.ndarray:
            # nlpaug returns [0] if all words have the same score, which fails later.
            gaps = data.max() - data
            return gaps / gaps.sum() if gaps.any() else np.full(len(data), 1 / len(data))

        def predict(self, data: str, top_k: int) -> list[str]:
            draws = np.random.random(top_k) * self._cumulative[-1]
            return [self.tokens[i] for i in np.searchsorted(self._cumulative, draws)]

    # Each token counts once per text, since nlpaug uses the number of occurrences as the document
    # frequency.
    tokens = [list(dict.fromkeys(text.split())) for text in resources.texts]
    model = FittedTfIdf()
    model.train([text_tokens for text_tokens in tokens if text_tokens])

    augmenter: Any = naw.TfIdfAug

    class FittedTfIdfAug(augmenter):
        """nlpaug's augmenter with this model; it would otherwise cache one model per process."""

        def get_model(self, force_reload: bool = False) -> FittedTfIdf:
            return model

    return _as_recipe(FittedTfIdfAug(aug_p=WORD_SHARE, **_TOKENS))


def _make_lexicon(resources: Resources) -> Recipe:
    # nlpaug's ReservedAug is not used: it searches for each phrase of the lexicon in each text as a
    # regular expression, also inside words.
    forms = group_pairs([*resources.lexicon, *((b, a) for a, b in resources.lexicon)])
    # The module has the methods of its hidden generator.
    generator = cast(random.Random, random)
    return lambda text: swap_words(text, forms, WORD_SHARE, generator)


def swap_words(
    text: str, forms: dict[str, list[str]], share: float, generator: random.Random
) -> str:
    """Replaces a share of the words that have other forms, at least one, by one of these forms.

    Words match in any case, and punctuation around them is kept.

    >>> swap_words("Apa kabar, org?", {"org": ["orang"]}, 0.5, random.Random(0))
    'Apa kabar, orang?'

    Args:
        text: any string; returned unchanged if no word has other forms.
        forms: other forms by word in lower case.
        share: between 0 and 1.
        generator: random generator; the module `random` also works.
    """
    words = text.split()
    cores = [word.strip(string.punctuation) for word in words]
    replaceable = [i for i, core in enumerate(cores) if core.lower() in forms]
    if not replaceable:
        return text
    for i in generator.sample(replaceable, max(1, round(share * len(replaceable)))):
        core = cores[i]
        words[i] = words[i].replace(core, generator.choice(forms[core.lower()]), 1)
    return " ".join(words)


def _make_back_translation(resources: Resources) -> Recipe:
    translated: dict[str, list[str]] = {}
    for text, back in resources.translations:
        translated.setdefault(text, []).append(back)
    return lambda text: random.choice(translated.get(text.strip(), [text]))
