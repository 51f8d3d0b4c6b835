"""Data sets that are available by name.

To add one, write a function that reads a file of it, and add an entry to `DATA_SETS`.
"""

import csv
import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from kerasclf.data import chat_language
from kerasclf.data.download import BASE_ADDRESS, RemoteFile, fetch
from kerasclf.errors import UserError


@dataclass(frozen=True)
class DataSet:
    """A data set, its licence, and where its files are.

    Attributes:
        name: what `--dataset` takes.
        task: what is classified.
        labels: label names by class id; () to sort those in the data.
        ordered: whether the labels are ordinal, such as levels of severity.
        licence: short name.
        citation: authors, title and venue.
        read: reads one file into a frame with columns text and label.
        files: () for a data set that comes with an installed package.
        encoding: of the files.
        min_class_rows: classes with fewer rows are dropped by default.
        languages: codes of ISO 639-1, or "multilingual".
        targets: what its project wants to reach; default of `--target`.
    """

    name: str
    task: str
    labels: tuple[str, ...]
    ordered: bool
    licence: str
    citation: str
    read: Callable[[Path], pd.DataFrame]
    files: tuple[RemoteFile, ...] = ()
    encoding: str = "utf-8"
    min_class_rows: int = 0
    languages: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """The repository or package that publishes it."""
        if not self.files:
            return f"package chatterbot-corpus {chat_language.VERSION}"
        owner, repository, commit = self.files[0].path.split("/")[:3]
        return f"github.com/{owner}/{repository} at {commit[:12]}"

    def describe(self) -> dict[str, Any]:
        """Its task, labels, licence and pinned files; JSON-serializable."""
        return {
            "task": self.task,
            "labels": list(self.labels),
            "ordered": self.ordered,
            "licence": self.licence,
            "citation": self.citation,
            "home": self.home,
            "files": [
                {"address": f"{BASE_ADDRESS}/{file.path}", "sha256": file.sha256}
                for file in self.files
            ],
        }


def read_data_set(name: str) -> tuple[DataSet, pd.DataFrame]:
    """Fetches and reads a data set.

    Returns:
        Its entry, and a frame with columns text, label and, if the data set has its own splits,
        split (train, validation, test).

    Raises:
        UserError: the name is unknown, or a file cannot be fetched or does not match its hash.
    """
    if name not in DATA_SETS:
        near = difflib.get_close_matches(name, DATA_SETS, 1)
        hint = f"did you mean {near[0]!r}? all are" if near else "expected one of"
        raise UserError(f"no data set {name!r}; {hint} {', '.join(DATA_SETS)}")
    data_set = DATA_SETS[name]
    if not data_set.files:
        return data_set, data_set.read(chat_language.folder())
    frames = []
    for file in data_set.files:
        frame = data_set.read(fetch(file))
        frames.append(frame if file.split is None else frame.assign(split=file.split))
    return data_set, pd.concat(frames, ignore_index=True)


def _read_id_hate(path: Path) -> pd.DataFrame:
    """Derives one label of severity from the columns HS, HS_Weak, HS_Moderate and HS_Strong."""
    rows = pd.read_csv(path, encoding="latin-1")
    levels = rows[["HS_Weak", "HS_Moderate", "HS_Strong"]]
    label = levels.idxmax(axis=1).astype(str).str.removeprefix("HS_").str.lower()
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
_CODES = {"javanese": "jv", "indonesian": "id"}
_SENTIMENT = ("negative", "neutral", "positive")


def _nusax(name: str, language: str, hashes: tuple[str, str, str]) -> DataSet:
    stems = {"train": "train", "validation": "valid", "test": "test"}
    return DataSet(
        name=name,
        task=f"sentiment of {language.capitalize()} reviews and comments",
        labels=_SENTIMENT,
        ordered=True,
        licence="CC BY-SA 4.0",
        citation="Winata et al., NusaX: Multilingual Parallel Sentiment Dataset for 10 Indonesian "
        "Local Languages, EACL 2023",
        read=_read_nusax,
        languages=(_CODES[language],),
        files=tuple(
            RemoteFile(f"{_NUSAX}/{language}/{stem}.csv", sha256, split)
            for (split, stem), sha256 in zip(stems.items(), hashes, strict=True)
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
            languages=("multilingual",),
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
            languages=("id",),
            targets=("accuracy>=0.85", "macro_f1>=0.80", "latency_p99_ms<100"),
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
            languages=("id",),
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
