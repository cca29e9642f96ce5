"""CSV rows (RFC 4180) that a spreadsheet may open: exact, or with their formulas defused."""

from collections.abc import Iterable
from csv import writer
from io import StringIO

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a cell begins that a spreadsheet would calculate; the last four are full-width (OWASP, "CSV Injection")."""

_SKIPPED = " \"'"  # what a spreadsheet may skip before it


def row(cells: Iterable[str], *, spreadsheet_safe: bool = False) -> str:
    """One row with its CRLF.

    ``spreadsheet_safe`` puts an apostrophe before every cell that a spreadsheet would calculate, telephone numbers with
    a plus sign too, and before those that begin with one: a reader takes one apostrophe off to get the cell back.
    """
    out = StringIO()
    writer(out).writerow(map(_harmless, cells) if spreadsheet_safe else cells)
    return out.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(_SKIPPED).startswith(FORMULA_STARTS) or cell.startswith("'") else cell
