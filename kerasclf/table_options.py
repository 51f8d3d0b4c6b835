"""Options of every command that reads a table, on the command line."""

from dataclasses import dataclass

from kerasclf.data.reading import Reading


@dataclass
class TableOptions:
    """How a table is read."""

    encoding: str = "utf-8"
    """Encoding of CSV, TSV or JSON; a file that is not UTF-8 is recognized."""
    delimiter: str | None = None
    """Character between the cells of a CSV, or tab (default: found in the first lines)."""
    sheet: str | None = None
    """Sheet of an Excel workbook, its name or its number from 1 (default: the first)."""
    header: bool = True
    """Whether the first row of CSV, TSV and Excel names the columns; else their names are their
    numbers, from 1."""

    @property
    def reading(self) -> Reading:
        """The options as the readers take them."""
        return Reading(self.encoding, self.delimiter, self.sheet, self.header)
