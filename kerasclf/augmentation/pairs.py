"""The user's tables of two columns: a lexicon of words, or texts and their back-translations."""

import csv
from collections.abc import Iterable
from pathlib import Path

from kerasclf.errors import UserError

Pairs = list[tuple[str, str]]
"""The two columns of each row, without spaces around."""


def read_pairs(path: Path, option: str, encoding: str = "utf-8") -> Pairs:
    """Reads a CSV of two columns and no header.

    Args:
        path: the file.
        option: the option that named it, for messages.
        encoding: of the file.

    Raises:
        UserError: it cannot be read or decoded, is empty, or a row is not two filled cells.
    """
    try:
        with path.open(encoding=encoding, newline="") as file:
            rows = list(csv.reader(file))
    except LookupError as error:
        raise UserError(f"unknown encoding {encoding!r}; expected a name such as utf-8") from error
    except OSError as error:
        raise UserError(f"cannot read {option} {path}: {error.strerror}") from error
    except (UnicodeError, csv.Error) as error:
        other = " or give --lexicon-encoding" if option == "--lexicon" else ""
        raise UserError(
            f"{option} {path} is not a CSV in {encoding}: {error}; save it as UTF-8{other}"
        ) from error
    pairs = []
    for number, row in enumerate(rows, start=1):
        cells = [cell.strip() for cell in row]
        if len(cells) != 2 or not all(cells):
            raise UserError(
                f"{option} {path} row {number} is {row!r}; expected two filled cells, "
                "such as slang,formal"
            )
        pairs.append((cells[0], cells[1]))
    if not pairs:
        raise UserError(f"{option} {path} is empty; expected rows of two cells")
    return pairs


def group_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """What each first cell, in lower case, stands beside; a cell beside itself is left out."""
    found: dict[str, list[str]] = {}
    for first, second in pairs:
        if first.lower() != second.lower():
            found.setdefault(first.lower(), []).append(second)
    return found
