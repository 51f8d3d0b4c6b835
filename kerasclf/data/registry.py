"""Data sets that are known by name: where they are, what they hold, how they are read."""

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kerasclf.data import chat_language
from kerasclf.errors import UserError

BASE_ADDRESS = "https://raw.githubusercontent.com"
MIRROR = "KERASCLF_MIRROR"


@dataclass(frozen=True)
class RemoteFile:
    """One file at a pinned commit, and the split it holds (None: not split)."""

    path: str
    sha256: str
    split: str | None = None


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set."""

    name: str
    task: str
    labels: tuple[str, ...]
    """Label names in order; empty where they follow from the data."""
    ordered: bool
    """Whether the order of the labels means something (severity)."""
    licence: str
    citation: str
    read: Callable[[Path], pd.DataFrame]
    """Reads one file into columns text and label."""
    files: tuple[RemoteFile, ...] = ()
    """Empty for a data set that comes with an installed package."""
    encoding: str = "utf-8"
    """Of its files."""
    min_class_rows: int = 0
    """Classes with fewer rows are left out."""

    @property
    def home(self) -> str:
        """Where a person can read about it."""
        if not self.files:
            return f"package chatterbot-corpus {chat_language.VERSION}"
        owner, repository, commit = self.files[0].path.split("/")[:3]
        return f"github.com/{owner}/{repository} at {commit[:12]}"


def _read_id_hate(path: Path) -> pd.DataFrame:
    rows = pd.read_csv(path, encoding="latin-1")
    levels = rows[["HS_Weak", "HS_Moderate", "HS_Strong"]]
    label = levels.idxmax(axis=1).str.removeprefix("HS_").str.lower()
    return pd.DataFrame({"text": rows["Tweet"], "label": label.where(rows["HS"] == 1, "none")})


def _read_smsa(path: Path) -> pd.DataFrame:
    return pd.read_csv(
        path,
        sep="\t",
        header=None,
        names=["text", "label"],
        dtype=str,
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
    )


def _read_nusax(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)[["text", "label"]]


_HATE = (
    "okkyibrohim/id-multi-label-hate-speech-and-abusive-language-detection/"
    "be98de98e974b65838d2b5145ee2c89e9bf53a6b"
)
_SMSA = "IndoNLP/indonlu/ce728f6926a36174b9923dfe49d6a6839b6e9bb7/dataset/smsa_doc-sentiment-prosa"
_NUSAX = "IndoNLP/nusax/75b0be5d982348332509f296e10d9bf9cb66d60f/datasets/sentiment"
_SENTIMENT = ("negative", "neutral", "positive")


def _nusax(name: str, language: str, hashes: tuple[str, str, str]) -> DataSet:
    parts = zip(("train", "valid", "test"), hashes, ("train", "validation", "test"), strict=True)
    return DataSet(
        name=name,
        task=f"sentiment of {language.capitalize()} reviews and comments",
        labels=_SENTIMENT,
        ordered=True,
        licence="CC BY-SA 4.0",
        citation="Winata et al., NusaX: Multilingual Parallel Sentiment Dataset for 10 Indonesian "
        "Local Languages, EACL 2023",
        read=_read_nusax,
        files=tuple(
            RemoteFile(f"{_NUSAX}/{language}/{stem}.csv", sha256, split)
            for stem, sha256, split in parts
        ),
    )


DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            name="chat-language",
            task="language of a chat message",
            labels=(),
            ordered=False,
            licence="BSD-3-Clause",
            citation="Gunther Cox and contributors, ChatterBot Language Training Corpus",
            read=chat_language.read,
            min_class_rows=25,
        ),
        DataSet(
            name="id-hate",
            task="severity of hate speech in Indonesian tweets",
            labels=("none", "weak", "moderate", "strong"),
            ordered=True,
            licence="CC BY-NC-SA 4.0",
            citation="Ibrohim and Budi, Multi-label Hate Speech and Abusive Language Detection in "
            "Indonesian Twitter, ALW 2019",
            read=_read_id_hate,
            encoding="latin-1",
            files=(
                RemoteFile(
                    f"{_HATE}/re_dataset.csv",
                    "44c04e31ad4b7ee4a95f1884e7af4da2c44b69762143eb2de0ede7f90502735e",
                ),
            ),
        ),
        DataSet(
            name="smsa",
            task="sentiment of Indonesian comments and reviews",
            labels=_SENTIMENT,
            ordered=True,
            licence="MIT",
            citation="Purwarianti and Crisdayanti, Improving Bi-LSTM Performance for Indonesian "
            "Sentiment Analysis Using Paragraph Vector, ICAICTA 2019; in IndoNLU",
            read=_read_smsa,
            files=(
                RemoteFile(
                    f"{_SMSA}/train_preprocess.tsv",
                    "50f38ceed9b31521bf1581e126620532cc9b790712938159a2cdcf6906977a9b",
                    "train",
                ),
                RemoteFile(
                    f"{_SMSA}/valid_preprocess.tsv",
                    "6ab41ddc9d58a35086f05ebd2e209c74cb03d87d4f51d6abdfba674eafbefa74",
                    "validation",
                ),
                RemoteFile(
                    f"{_SMSA}/test_preprocess.tsv",
                    "4e8016daa8e4e1b193f2a28a79d3a7804dd4e3f926a3ab7e8a64264f5f416a6f",
                    "test",
                ),
            ),
        ),
        _nusax(
            "nusax-jav",
            "javanese",
            (
                "46a88ac0f2f0b09b42b7fb840d80f727cc5b2a558440cd29d3b69178c24853c5",
                "ff8df9ec279e505c914bf7c367db5f10fcba672da8a0f7a32f8b701670e7a89c",
                "ad73d2ee75854c4104c9188a84c757caa07f826e108a384ade7fbf0f6dcc53a2",
            ),
        ),
        _nusax(
            "nusax-ind",
            "indonesian",
            (
                "698c4802111085c14fbe35122957e1145338d307bcc295764026a23095a32984",
                "4049c4a53017e08db72c72e1907345bfdfc19385481c58f54fe4637073d813f9",
                "43b612ed6fde972c752ab9fa8b2ce290d9ffa06b176b732fcef2a947cb94a161",
            ),
        ),
    )
}


def read_data_set(name: str) -> tuple[DataSet, pd.DataFrame]:
    """Fetches a data set and reads it.

    Returns:
        Its description, and a frame with columns text, label and, where the data set has its own
        splits, split (train, validation, test).

    Raises:
        UserError: the name is unknown, a file cannot be had, or its hash is wrong.
    """
    if name not in DATA_SETS:
        raise UserError(f"no data set {name!r}; expected one of {', '.join(DATA_SETS)}")
    data_set = DATA_SETS[name]
    if not data_set.files:
        return data_set, data_set.read(chat_language.folder())
    frames = []
    for file in data_set.files:
        frame = data_set.read(fetch(file))
        frames.append(frame if file.split is None else frame.assign(split=file.split))
    return data_set, pd.concat(frames, ignore_index=True)


def fetch(file: RemoteFile) -> Path:
    """The local path of a file whose hash was checked: from the mirror, the cache or the network.

    Raises:
        UserError: it cannot be had, or its hash is wrong.
    """
    import pooch

    base = os.environ.get(MIRROR, BASE_ADDRESS).rstrip("/")
    if "://" not in base:
        path = Path(base) / file.path
        if not path.is_file():
            raise UserError(f"the mirror {base} ({MIRROR}) has no file {file.path}")
        if pooch.file_hash(str(path)) != file.sha256:
            raise UserError(
                f"{path} has another SHA-256 than the pinned {file.sha256[:12]}…; it was not used, "
                "restore it or unset " + MIRROR
            )
        return path
    address = f"{base}/{file.path}"
    try:
        local = pooch.retrieve(
            address,
            known_hash=f"sha256:{file.sha256}",
            path=pooch.os_cache("kerasclf") / Path(file.path).parent,
            fname=Path(file.path).name,
            progressbar=True,
        )
    except ValueError as error:
        raise UserError(
            f"{address} has another SHA-256 than the pinned {file.sha256[:12]}…; it was not used"
        ) from error
    except OSError as error:
        raise UserError(
            f"cannot download {address}: {error}; with a copy at hand set {MIRROR} to its folder"
        ) from error
    return Path(local)
