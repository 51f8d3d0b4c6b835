"""Two-column CSV files of the user: lexicons, and texts with their back-translations."""

import csv
from collections.abc import Iterable
from pathlib import Path

from kerasclf.errors import UserError

Pairs = list[tuple[str, str]]
"""The two cells of each row, stripped."""


def read_pairs(path: Path, option: str, encoding: str = "utf-8") -> Pairs:
    """Reads a CSV with two columns and no header.

    Args:
        path: of the file.
        option: the command-line option that names it, for messages.
        encoding: of the file.

    Raises:
        UserError: it cannot be read or decoded, is empty, or a row does not have two non-empty
            cells.
    """
    try:
        with path.open(encoding=encoding, newline="") as file:
            rows = list(csv.reader(file))
    except LookupError as error:
        raise UserError(f"unknown encoding {encoding!r}; expected a name such as utf-8") from error
    except OSError as error:
        raise UserError(f"cannot read {option} {path}: {error.strerror}") from error
    except (UnicodeError, csv.Error) as error:
        or_encoding = " or give --lexicon-encoding" if option == "--lexicon" else ""
        raise UserError(
            f"{option} {path} is not a CSV in {encoding}: {error}; save it as UTF-8{or_encoding}"
        ) from error
    pairs = []
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if len(cells) != 2 or not all(cells):
            raise UserError(
                f"{option} {path} row {number} is {row!r}; expected two non-empty "
                "cells, such as slang,formal"
            )
        pairs.append((cells[0], cells[1]))
    if not pairs:
        raise UserError(f"{option} {path} is empty; expected rows with two cells")
    return pairs


def group_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The second cells by first cell in lower case; pairs that differ only in case are skipped.

    >>> group_pairs([("yg", "yang"), ("YG", "yg"), ("org", "orang")])
    {'yg': ['yang'], 'org': ['orang']}
    """
    groups: dict[str, list[str]] = {}
    for first, second in pairs:
        if first.lower() != second.lower():
            groups.setdefault(first.lower(), []).append(second)
    return groups
