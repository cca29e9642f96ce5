"""``ccdaemon export``: everything published, as files for people and programs."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Group, Session, find_accounts, pass_session
from ccdaemon.errors import BadData
from ccdaemon.model import Item, Kind, Part

if TYPE_CHECKING:
    from ccdaemon.store.base import Reader

output_option = click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; default: stdout.")

Items = Callable[[], Iterator[Item]]


@click.group(cls=Group)
def export() -> None:
    """Write contacts or events to a file."""


@export.command()
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--format", "form", type=click.Choice(["csv", "json", "vcf"]), required=True)
@output_option
@pass_session
def contacts(session: Session, accounts: tuple[str, ...], form: str, output: Path | None) -> None:
    """Contacts of all accounts, or of those named, in a stable order."""
    from ccdaemon.export.contacts import csv, json, vcf

    write = {"csv": csv, "json": json, "vcf": vcf}[form]
    with _published(session, accounts, Kind.CONTACTS) as (tx, items):
        _write(write((item.body, _resource_name(tx, item)) for item in items()), output)


@export.command()
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--format", "form", type=click.Choice(["ics", "json"]), required=True)
@output_option
@pass_session
def events(session: Session, accounts: tuple[str, ...], form: str, output: Path | None) -> None:
    """Events of all accounts, or of those named, in a stable order."""
    from ccdaemon.export.events import events_json, ics

    with _published(session, accounts, Kind.EVENTS) as (_tx, items):

        def bodies() -> Iterator[str]:
            return (item.body for item in items())

        _write(ics(bodies) if form == "ics" else events_json(bodies()), output)


@contextmanager
def _published(session: Session, accounts: tuple[str, ...], kind: Kind) -> "Iterator[tuple[Reader, Items]]":
    """One snapshot, and its items of a kind by account, collection and href, as often as they are asked for."""
    with session.store() as store, store.read() as tx:
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


def _write(chunks: Iterable[str], output: Path | None) -> None:
    """To a file at once or not at all; to standard output as it comes."""
    from ccdaemon.export.writer import write_atomically

    if output is not None:
        write_atomically(output, chunks)
        return
    if sys.stdout is None:
        raise BadData("there is no standard output; name a file with -o")
    for chunk in chunks:
        sys.stdout.buffer.write(chunk.encode())
    sys.stdout.buffer.flush()
