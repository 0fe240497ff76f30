"""The rows of an .xlsx file's first sheet, read one by one.

Readers that lay a sheet out as a grid need hundreds of gigabytes for a small file with one cell in its last corner.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.escape import unescape

from memory.catalog_files.source import CatalogError, ReadLimits, SourceTable, column_names, rows_of_cells
from memory.text import printable

_MOST_ROWS = 1_048_576  # openpyxl fills gaps with empty rows: one row numbered 2,147,483,647 would take hours


def spreadsheet_table(path: Path, limits: ReadLimits) -> SourceTable:
    """Return the first sheet of an .xlsx file; the first row with cells is the header.

    Formulas count as the values last calculated, links to other files are not followed.
    """
    rows = ((line, row) for line, row in enumerate(_sheet_rows(path, limits), start=1))
    header = next((row for _, row in rows if any(cell not in (None, "") for cell in row)), None)
    if header is None:
        raise CatalogError(f"{path} is empty: its first sheet has no rows")
    filled = max(position for position, cell in enumerate(header, start=1) if cell not in (None, ""))
    columns = column_names(["" if cell is None else str(cell) for cell in header[:filled]])
    return SourceTable(columns, rows_of_cells(columns, rows, limits))


def _sheet_rows(path: Path, limits: ReadLimits) -> Iterator[Sequence[object]]:
    try:
        _check_archive(path, limits)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            if number > _MOST_ROWS:
                raise CatalogError(f"{path} has rows beyond {_MOST_ROWS:,}, the last that a sheet can have")
            yield [unescape(cell) if isinstance(cell, str) and "_x" in cell else cell for cell in row]
        book.close()
    except (OSError, zipfile.BadZipFile, ParseError, KeyError, ValueError, IndexError, TypeError) as error:
        raise CatalogError(f"{path} cannot be read as a spreadsheet: {printable(str(error))}") from error


def _check_archive(path: Path, limits: ReadLimits) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > limits.expanded_bytes:
            raise CatalogError(f"{path} expands to more than {limits.expanded_bytes:,} bytes")
        if damaged := archive.testzip():  # also finds a member that is larger than it says
            raise CatalogError(f"{path} is damaged at {printable(damaged)}")
