"""``ccdaemon export``: everything published, as files for people and programs."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Group, Session, find_accounts, pass_session
from ccdaemon.errors import BadData
from ccdaemon.model import Item, Kind, Part

if TYPE_CHECKING:
    from ccdaemon.store.base import Reader

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write; default, and -: stdout."
)

spreadsheet_option = click.option(
    "--spreadsheet-safe",
    is_flag=True,
    help="Of CSV: put an apostrophe before cells that a spreadsheet would calculate (=, +, -, @; also +41 44 …).",
)

CONTACT_FORMS = ["csv", "google-csv", "outlook-csv", "json", "jcard", "vcf"]

CALENDAR_FORMS = ["ics", "json", "jcal", "csv"]

Items = Callable[[], Iterator[Item]]
Pieces = Callable[[Iterable[str]], Iterator[str]]


@click.group(cls=Group)
def export() -> None:
    """Write contacts, events or tasks to a file."""


@export.command()
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--format", "form", type=click.Choice(CONTACT_FORMS), required=True)
@click.option("--vcard-version", type=click.Choice(["3.0", "4.0"]), help="Of --format vcf; default: 3.0.")
@spreadsheet_option
@output_option
@pass_session
def contacts(
    session: Session,
    accounts: tuple[str, ...],
    form: str,
    vcard_version: str | None,
    spreadsheet_safe: bool,
    output: Path | None,
) -> None:
    """Contacts of all accounts, or of those named, in a stable order.

    \b
    csv          one row each, a few columns, several values in one cell
    google-csv   what Google Contacts imports
    outlook-csv  what Outlook imports; what has no column stands in Notes
    json         every field by name
    jcard        vCard 4.0 in JSON (RFC 7095)
    vcf          vCards one after the other
    """
    from ccdaemon.export.contacts import csv, json, vcf
    from ccdaemon.export.google_csv import google_csv
    from ccdaemon.export.jcard import jcard
    from ccdaemon.export.outlook_csv import outlook_csv

    if vcard_version is not None and form != "vcf":
        raise click.UsageError("--vcard-version goes with --format vcf only")
    _refuse_safety_of_others(form, spreadsheet_safe)
    with _published(session, accounts, Kind.CONTACTS) as (tx, items):

        def found() -> Iterator[tuple[str, str]]:
            return ((item.body, _resource_name(tx, item)) for item in items())

        def bodies() -> Iterator[tuple[str, str]]:
            return ((item.body, "") for item in items())

        match form:
            case "csv":
                chunks = csv(found(), spreadsheet_safe=spreadsheet_safe)
            case "google-csv":
                chunks = google_csv(bodies, spreadsheet_safe=spreadsheet_safe)
            case "outlook-csv":
                chunks = outlook_csv(bodies(), spreadsheet_safe=spreadsheet_safe)
            case "json":
                chunks = json(found())
            case "jcard":
                chunks = jcard(bodies())
            case _:
                chunks = vcf(bodies(), version=vcard_version or "3.0")
        _write(chunks, output)


@export.command()
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--format", "form", type=click.Choice(CALENDAR_FORMS), required=True)
@spreadsheet_option
@output_option
@pass_session
def events(session: Session, accounts: tuple[str, ...], form: str, spreadsheet_safe: bool, output: Path | None) -> None:
    """Events of all accounts, or of those named, in a stable order.

    \b
    ics   one iCalendar file
    json  every field by name
    jcal  iCalendar in JSON (RFC 7265)
    csv   one row each, with the columns that Google Calendar imports
    """
    from ccdaemon.export.events import events_json
    from ccdaemon.export.events_csv import events_csv

    _refuse_safety_of_others(form, spreadsheet_safe)
    with _published(session, accounts, Kind.EVENTS) as (_tx, items):
        _write(_calendar(items, form, events_json, partial(events_csv, spreadsheet_safe=spreadsheet_safe)), output)


@export.command()
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--format", "form", type=click.Choice(CALENDAR_FORMS), required=True)
@spreadsheet_option
@output_option
@pass_session
def tasks(session: Session, accounts: tuple[str, ...], form: str, spreadsheet_safe: bool, output: Path | None) -> None:
    """Tasks of all accounts, or of those named, in a stable order.

    \b
    ics   one iCalendar file
    json  every field by name
    jcal  iCalendar in JSON (RFC 7265)
    csv   one row each, with columns as Outlook names them
    """
    from ccdaemon.export.tasks import tasks_csv, tasks_json

    _refuse_safety_of_others(form, spreadsheet_safe)
    with _published(session, accounts, Kind.TASKS) as (_tx, items):
        _write(_calendar(items, form, tasks_json, partial(tasks_csv, spreadsheet_safe=spreadsheet_safe)), output)


def _refuse_safety_of_others(form: str, spreadsheet_safe: bool) -> None:
    if spreadsheet_safe and not form.endswith("csv"):
        raise click.UsageError("--spreadsheet-safe goes with the CSV formats only")


def _calendar(items: Items, form: str, as_json: Pieces, as_csv: Pieces) -> Iterator[str]:
    """The document of one form; those of events and tasks differ in what they say of one of them."""
    from ccdaemon.export.events import ics
    from ccdaemon.export.jcal import jcal

    def bodies() -> Iterator[str]:
        return (item.body for item in items())

    match form:
        case "ics":
            return ics(bodies)
        case "jcal":
            return jcal(bodies)
        case "json":
            return as_json(bodies())
        case _:
            return as_csv(bodies())


@contextmanager
def _published(session: Session, accounts: tuple[str, ...], kind: Kind) -> "Iterator[tuple[Reader, Items]]":
    """One snapshot, and its items of a kind by account, collection and href, as often as they are asked for."""
    with session.store(read_only=True) as store, store.read() as tx:
        wanted = [
            collection.id
            for account in find_accounts(tx, accounts)
            for collection in tx.collections(account_id=account.id)
            if collection.kind is kind
        ]
        yield tx, lambda: (item for number in wanted for item in tx.items(number))


def _resource_name(tx: "Reader", item: Item) -> str:
    """What the provider itself calls this contact: "people/c…" at Google, the contact's id at Microsoft."""
    for original in tx.group(item.collection_id, item.group_id):
        if original.part is Part.OBJECT:
            return str(original.payload.get("resourceName") or original.remote_id)
    return ""


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that no unfinished file stays behind."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write(chunks: Iterable[str], output: Path | None) -> None:
    """To a file at once or not at all; to standard output as it comes."""
    from ccdaemon.export.writer import write_atomically

    if output is not None and output != Path("-"):
        with _ending_in_order():
            write_atomically(output, chunks)
        return
    if sys.stdout is None:
        raise BadData("there is no standard output; name a file with -o")
    for chunk in chunks:
        sys.stdout.buffer.write(chunk.encode())
    sys.stdout.buffer.flush()
