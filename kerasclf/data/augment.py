"""Character noise on training texts, by nlpaug."""

import random

import numpy as np

from kerasclf.data.pipeline import Augment

CHARACTER_SHARE = 0.1
WORD_SHARE = 0.2


def make_augment(name: str) -> Augment | None:
    """The noise of that name.

    Args:
        name: none, keyboard (a key beside), swap (two neighbours) or delete.

    Returns:
        A function of texts and a seed that returns as many texts, or None for none. It seeds the
        global generators of `random` and `numpy`, which nlpaug draws from; they are put back.
    """
    if name == "none":
        return None
    import nlpaug.augmenter.char as nac

    shares = {"aug_char_p": CHARACTER_SHARE, "aug_word_p": WORD_SHARE}
    if name == "keyboard":
        noise = nac.KeyboardAug(include_special_char=False, include_numeric=False, **shares)
    else:
        noise = nac.RandomCharAug(action=name, **shares)

    def augment(texts: list[str], seed: int) -> list[str]:
        states = random.getstate(), np.random.get_state()
        random.seed(seed)
        np.random.seed(seed)
        try:
            # One by one: nlpaug answers an empty text with an empty list.
            return [(noise.augment(text) or [text])[0] for text in texts]
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])

    return augment
