"""How a table is read: what its name and its bytes do not say, and what they do."""

import codecs
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kerasclf.data.header import WIDE_MARKS

COLUMNAR = {".parquet": "Parquet", ".feather": "Feather", ".orc": "ORC"}
GZIP = ".gz"
WORKBOOK = ".xlsx"
CANDIDATES = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("gb18030", "big5", "euc_kr", "shift_jis", "utf_16_le", "utf_16_be"),
)
"""Encodings of files that are not UTF-8, as spreadsheets of many countries save CSV."""
COMMONEST, NEAR = "cp1252", 0.05
"""What is taken of several that fit nearly as well, by the share of implausible characters."""
SAMPLE_BYTES = 1 << 18


@dataclass(frozen=True)
class Reading:
    """Options of reading a table.

    Attributes:
        encoding: of CSV, TSV and JSON. A file that is not UTF-8 is recognized.
        delimiter: character between the cells of a CSV, or "tab"; None to find it.
        sheet: of an Excel workbook, its name or its number from 1; None for the first.
        has_names: whether the first row of CSV, TSV and Excel names the columns; else they are
            called "1", "2" and so on.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    sheet: str | None = None
    has_names: bool = True

    @property
    def separator(self) -> str | None:
        """The character that the delimiter stands for."""
        return "\t" if self.delimiter in ("tab", r"\t") else self.delimiter


def table_suffix(path: Path) -> str:
    """The suffix that says the format of a table, in lower case: that before .gz, if it is that.

    >>> table_suffix(Path("posts.CSV")), table_suffix(Path("posts.tsv.gz"))
    ('.csv', '.tsv')
    """
    suffix = path.suffix.lower()
    return path.with_suffix("").suffix.lower() if suffix == GZIP else suffix


def open_binary(path: Path) -> IO[bytes]:
    """Opens a table to read its bytes, decompressed."""
    if path.suffix.lower() == GZIP:
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8, the default, so that another one may be found."""
    return encoding.lower().replace("_", "-") in ("utf-8", "utf8")


def find_encoding(path: Path, encoding: str) -> tuple[str, str]:
    """The encoding of a text file, and why, if that is another than the given one.

    A file is not what it was given as if it begins with the byte order mark of another encoding,
    or if no byte of it outside ASCII belongs to valid UTF-8: a file with both has damaged lines,
    which reading it names.

    Args:
        path: of the table.
        encoding: given one; only UTF-8, the default, is doubted.

    Returns:
        The encoding, and the reason, "" if it is the given one.
    """
    if table_suffix(path) in (*COLUMNAR, WORKBOOK) or not is_utf8(encoding):
        return encoding, ""
    with open_binary(path) as file:
        head = file.read(4)
    for mark, found in WIDE_MARKS.items():
        if head.startswith(mark):
            return found, "it begins with its byte order mark"
    sample = _sample_of_no_utf8(path)
    if sample is None:
        return encoding, ""
    recognized = _recognize(sample)
    return (recognized, "it is not UTF-8") if recognized else (encoding, "")


def _recognize(sample: bytes) -> str | None:
    """The encoding that makes the most plausible text of some bytes; None if none does."""
    # Not imported before it is needed: it takes a tenth of a second.
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=list(CANDIDATES), threshold=0.5)
    best = matches.best()
    if best is None:
        return None
    near = [match for match in matches if match.chaos <= best.chaos + NEAR]
    names = {name for match in near for name in match.could_be_from_charset}
    return COMMONEST if COMMONEST in names else best.encoding


def _sample_of_no_utf8(path: Path) -> bytes | None:
    """Lines outside ASCII of a file in another encoding than UTF-8; None if it may be UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    sample = b""
    with open_binary(path) as file:
        try:
            while block := file.read(1 << 20):
                if not decoder.decode(block).isascii():
                    return None
        except UnicodeDecodeError:
            pass
        else:
            return None
        file.seek(0)
        for line in file:
            if line.isascii():
                continue
            # Valid characters of several bytes beside others: UTF-8 with damaged lines.
            if not line.decode("utf-8", "ignore").isascii():
                return None
            sample += line
            if len(sample) > SAMPLE_BYTES:
                break
    return sample
