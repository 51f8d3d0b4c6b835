"""The data set chat-language: chat messages by language, from the package chatterbot-corpus."""

import importlib.util
from pathlib import Path

import pandas as pd

from kerasclf.errors import UserError

VERSION = "1.3.3"


def folder() -> Path:
    """The folder of the installed corpus, which has one folder per language.

    Raises:
        UserError: the package is not installed.
    """
    package = importlib.util.find_spec("chatterbot_corpus")
    if package is None or package.origin is None:
        raise UserError(
            "the data set chat-language needs chatterbot-corpus, which is not installed; run "
            f"pip install chatterbot-corpus=={VERSION}"
        )
    return Path(package.origin).parent / "data"


def read(path: Path) -> pd.DataFrame:
    """Reads every message of the corpus.

    Returns:
        Frame with columns text and label (the language), sorted by file name.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = []
    for file in sorted(path.glob("*/*.yml")):
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # a safe loader
        for conversation in content["conversations"]:
            rows += [(str(message), file.parent.name) for message in conversation]
    return pd.DataFrame(rows, columns=["text", "label"])
