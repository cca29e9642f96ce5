"""``ccdaemon explain``: what one item was made of, what it says, and what could not be said."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

from ccdaemon.cli.base import Command, Session, json_option, pass_session, print_json, rfc3339, shown
from ccdaemon.errors import UnknownName
from ccdaemon.model import Account, Collection, Item, Original, Part, Quarantined

if TYPE_CHECKING:
    from ccdaemon.store.base import Reader

LONGEST_SHOWN = 200  # characters of one text of an original, for people; --json shows everything

_PERSON = re.compile(r"people/c([0-9]{1,20})")
"""What Google and the exports call a contact; its id there is the same number, in hexadecimal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """One group of originals and what became of it."""

    account: Account
    collection: Collection
    group_id: str
    item: Item | None  # None: nothing of it is published
    quarantined: Quarantined | None
    originals: Sequence[Original]
    unmapped: Sequence[tuple[str, Sequence[str]]]  # remote_id, and the members of it that stand in no body
    unheld: Sequence[str]  # properties of the body that the provider has no place for


@click.command(cls=Command)
@click.argument("item")
@json_option
@pass_session
def explain(session: Session, item: str, as_json: bool) -> None:
    """Show the originals of an ITEM, its body, and what could not be mapped.

    ITEM is a DAV URL or the last segment of one, a UID, an object's id or resource name at the provider, or what
    `quarantine list` names.
    """
    with session.store(read_only=True) as store, store.read() as tx:
        found = _find(tx, item)
    if not found:
        raise UnknownName("there is no such item; name its DAV URL, its UID, or its id at the provider")
    if as_json:
        print_json({"version": 1, "items": [_as_json(one) for one in found]})
    else:
        for one in found:
            _print(one)


def _find(tx: "Reader", name: str) -> list[Explained]:
    """Everything that a person may mean: a UID may stand in several collections."""
    _, folder, last = map(unquote, ("", "", *name.split("/"))[-3:])
    called = {name}
    if person := _PERSON.fullmatch(name):
        called.add(f"{int(person[1]):x}")
    found = []
    for account in tx.accounts():
        for collection in tx.collections(account_id=account.id):
            names = called | {last} if folder == collection.href else called
            groups = {group for one in names for group in tx.groups_named(collection.id, one)}
            waiting = {entry.group_id: entry for entry in tx.quarantined(collection.id)}
            groups |= names & waiting.keys()
            found += [_explained(tx, account, collection, group, waiting.get(group)) for group in sorted(groups)]
    return found


def _explained(
    tx: "Reader", account: Account, collection: Collection, group_id: str, quarantined: Quarantined | None
) -> Explained:
    from ccdaemon.mapping.codecs import CODECS, COVERAGE
    from ccdaemon.mapping.coverage import unmapped

    key = (account.provider, collection.kind)
    originals = tx.group(collection.id, group_id)
    item = tx.item_of_group(collection.id, group_id)
    objects = [one for one in originals if one.part is Part.OBJECT]
    missing = [(one.remote_id, unmapped(COVERAGE[key], one.payload)) for one in objects]
    codec = CODECS.get(key)  # none for what is kept here only: no provider lacks a place for anything
    held = () if item is None or codec is None else codec.unheld(item.body, [*tx.shared(collection.id), *originals])
    return Explained(
        account=account,
        collection=collection,
        group_id=group_id,
        item=item,
        quarantined=quarantined,
        originals=originals,
        unmapped=[(remote_id, paths) for remote_id, paths in missing if paths],
        unheld=held,
    )


def _as_json(one: Explained) -> dict[str, Any]:
    return {
        "account": one.account.ref,
        "provider": one.account.provider,
        "collection": one.collection.name,
        "kind": one.collection.kind,
        "object": one.group_id,
        "href": one.item.href if one.item else None,
        "etag": one.item.etag if one.item else None,
        "modified_at": one.item.modified_at if one.item else None,
        "body": one.item.body if one.item else None,
        "quarantined": {"reason": one.quarantined.reason, "since": one.quarantined.since} if one.quarantined else None,
        "originals": [
            {"id": original.remote_id, "part": original.part, "etag": original.etag, "payload": original.payload}
            for original in one.originals
        ],
        "not_in_body": {remote_id: list(paths) for remote_id, paths in one.unmapped},
        "only_here": list(one.unheld),
    }


def _print(one: Explained) -> None:
    name = one.item.href if one.item else one.group_id
    where = f"{one.account.provider} {one.collection.kind}, {one.account.label}"
    _line(f"{name} in {one.collection.name} ({where})")
    if one.quarantined:
        _line(f"  quarantined since {rfc3339(one.quarantined.since)}: {one.quarantined.reason}")
    for original in one.originals:
        _line(f"  original {original.remote_id} ({original.part}):")
        _indented(json.dumps(_short(original.payload), indent=2, ensure_ascii=False))
    if one.item is None:
        _line("  nothing of it is published")
    else:
        _line(f"  published {rfc3339(one.item.modified_at)}, etag {one.item.etag}:")
        _indented(_unfolded(one.item.body))
    for remote_id, paths in one.unmapped:
        _line(f"  not in the body, kept in {remote_id}: {', '.join(paths)}")
    if one.unheld:
        _line(f"  without a place at the provider, kept here: {', '.join(one.unheld)}")


def _indented(text: str) -> None:
    for line in text.split("\n"):
        _line(f"    {line}")


def _line(text: str) -> None:
    click.echo(shown(text))


def _unfolded(body: str) -> str:
    lines = body.replace("\r\n ", "").replace("\r\n", "\n").rstrip("\n").split("\n")
    return "\n".join(_cut(line) for line in lines)


def _short(value: Any) -> Any:
    """The payload with its long texts (photos, bodies of mails) cut."""
    if isinstance(value, dict):
        return {key: _short(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_short(member) for member in value]
    return _cut(value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}… ({len(text)} characters)"
