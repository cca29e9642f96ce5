"""What holds for every form of a contact export."""

import csv
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from io import StringIO

import pytest

from ccdaemon.export import contacts
from ccdaemon.export.contacts import Contact
from ccdaemon.export.google_csv import google_csv
from ccdaemon.export.jcard import jcard
from ccdaemon.export.outlook_csv import outlook_csv
from ccdaemon.mapping.vcard import Property
from tests.unit.export import cards

Source = Callable[[], Iterable[Contact]]

FORMS: dict[str, Callable[[Source], Iterator[str]]] = {
    "csv": lambda source: contacts.csv(source()),
    "google-csv": google_csv,
    "outlook-csv": lambda source: outlook_csv(source()),
    "json": lambda source: contacts.json(source()),
    "jcard": lambda source: jcard(source()),
    "vcf": lambda source: contacts.vcf(source()),
    "vcf 4.0": lambda source: contacts.vcf(source(), version="4.0"),
}
TABLES: dict[str, Callable[[Source], Iterator[str]]] = {
    "csv": lambda source: contacts.csv(source(), spreadsheet_safe=True),
    "google-csv": lambda source: google_csv(source, spreadsheet_safe=True),
    "outlook-csv": lambda source: outlook_csv(source(), spreadsheet_safe=True),
}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("form", FORMS)
def test_memory_does_not_grow_with_the_size_of_an_export(form):
    def many() -> Iterator[Contact]:
        for number in range(60):
            yield cards.body(Property(name="NOTE", value=f"{number % 10}" * 100_000)), f"people/c{number}"

    tracemalloc.start()
    try:
        for _ in FORMS[form](many):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 3_000_000, "six megabytes of notes passed through"


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_kept_of_10000_contacts(form):
    """Counted in blocks of the interpreter: one kept for each contact would be 10,000 (tracemalloc is too slow)."""
    for _ in FORMS[form](lambda: cards.tiny(300)):
        pass
    before = most = sys.getallocatedblocks()

    for _ in FORMS[form](lambda: cards.tiny(10_000)):
        most = max(most, sys.getallocatedblocks())

    assert most - before < 5_000


@pytest.mark.parametrize("form", FORMS)
def test_the_same_contacts_give_the_same_text(form):
    two = [(cards.full(), "people/c1"), (cards.body(), "people/c2")]

    assert "".join(FORMS[form](lambda: two)) == "".join(FORMS[form](lambda: iter(two)))


@pytest.mark.parametrize("form", TABLES)
def test_every_cell_of_a_table_is_harmless_on_request_and_exact_without(form):
    """T-39, R-55: one apostrophe, which a reader takes off again."""
    body = cards.body(
        Property(name="N", value="=1+1;@SUM(A1);;;"),
        Property(name="NOTE", value="+cmd"),
        Property(name="TEL", value="+41 44", types=("HOME",)),
        Property(name="X-USER-DEFINED", value="-2", label="=x"),
        Property(name="EMAIL", value="'quoted"),
    )

    exact = rows("".join(FORMS[form](lambda: [(body, "r")])))[0]
    safe = rows("".join(TABLES[form](lambda: [(body, "r")])))[0]

    assert {column: cell.removeprefix("'") for column, cell in safe.items()} == exact
    assert not [cell for cell in safe.values() if cell.startswith(("=", "+", "-", "@"))]
    assert {"'=1+1", "'+41 44"} <= set(safe.values())


@pytest.mark.parametrize("form", ["csv", "google-csv", "outlook-csv"])
def test_a_table_has_crlf_lines_and_every_row_the_width_of_its_header(form):
    text = "".join(FORMS[form](lambda: [(cards.full(), "r"), (cards.body(), "r")]))

    table = list(csv.reader(StringIO(text, newline="")))

    assert {len(row) for row in table} == {len(table[0])}
    assert len(table) == 3
    assert text.endswith("\r\n")
