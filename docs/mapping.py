"""Writes docs/mapping.md from the tables that the codecs are held to: ``make docs``."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ccdaemon.mapping.codecs import COVERAGE
from ccdaemon.mapping.coverage import Row, Ways
from ccdaemon.model import CLOUDS, Kind

PAGE = Path(__file__).with_suffix(".md")
TITLES = {
    Kind.CONTACTS: ("Contacts", "vCard", "people.v1 `Person`", "`contact`"),
    Kind.EVENTS: ("Events", "iCalendar", "calendar.v3 `Event`", "`event`"),
    Kind.TASKS: ("Tasks", "iCalendar", "tasks.v1 `Task`", "`todoTask`"),
}
HEAD = """# What is mapped to what

`make docs` writes this page from the tables in `ccdaemon/mapping/*/fields.py`. Tests hold the tables to the official
schemas of both providers, which name every member there is, and to the golden cases, which show that it arrives.

Every object is kept as the provider sent it. What stands in no body is therefore not lost: it stays in the original, is
mapped as soon as ccdaemon learns how, and survives every write. `ccdaemon explain ITEM` shows it for one item.

How to read the tables:

* a path such as `names[].givenName` is a member of the provider's object; a row also covers what lies below it;
* ← marks a member that is read only: the provider derives it, or writing it is not ours to do;
* an `X-` property is used where no standard has one;
* members that say nothing of the object itself (etags, links, kinds) are left out;
* what a client writes for which a provider has no place is packed into the slot that it gives to applications, where it
  has one (Google contacts: `clientData`; Google events: private extended properties; Microsoft contacts and events: an
  extended property), and comes back from there into the body. An edit that a provider cannot hold without changing its
  meaning (a rule, an answer for somebody else) is refused as a whole, with the reason.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(part for kind in Kind for part in _kind(kind))]).rstrip("\n") + "\n"


def _kind(kind: Kind) -> Iterator[str]:
    title, format_, google, microsoft = TITLES[kind]
    tables = {provider: COVERAGE[provider, kind] for provider in CLOUDS}
    yield f"## {title}\n"
    yield f"| {format_} | Google, {google} | Microsoft, Graph v1.0 {microsoft} | lost or changed |"
    yield "|---|---|---|---|"
    for name in _properties(tables.values()):
        cells = [_paths(tables[provider], name) for provider in CLOUDS]
        notes = [note for provider in CLOUDS for note in _notes(provider.title(), tables[provider], name)]
        yield f"| `{name}` | {cells[0]} | {cells[1]} | {_cell('<br>'.join(notes))} |"
    yield ""
    yield f"### {title}: in no body\n"
    yield "| provider | member | why |"
    yield "|---|---|---|"
    for provider, rows in tables.items():
        yield from (
            f"| {provider.title()} | `{row.path}` | {_cell(row.note)} |" for row in rows if row.ways is Ways.KEPT
        )
    yield ""


def _names(row: Row) -> list[str]:
    return [name.strip() for name in row.property.split(",") if name.strip()]


def _properties(tables: Iterator[Sequence[Row]] | Sequence[Sequence[Row]]) -> list[str]:
    """Every property once, in the order in which the tables name them."""
    return list(dict.fromkeys(name for rows in tables for row in rows for name in _names(row)))


def _paths(rows: Sequence[Row], name: str) -> str:
    found = [f"`{row.path}`{' ←' if row.ways is Ways.READ else ''}" for row in rows if name in _names(row)]
    return "<br>".join(found) or "–"


def _notes(provider: str, rows: Sequence[Row], name: str) -> Iterator[str]:
    """Every note on the property once, with the members that it is about where it is not about all of them."""
    about: dict[str, list[str]] = {}
    paths = [row.path for row in rows if name in _names(row)]
    for row in rows:
        if row.note and name in _names(row):
            about.setdefault(row.note, []).append(row.path)
    for note, some in about.items():
        which = "" if some == paths else " " + ", ".join(f"`{path}`" for path in some)
        yield f"{provider}{which}: {note}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
