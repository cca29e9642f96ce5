"""``ccdaemon sync --dry-run``: what a pull would do, for a person to decide by. Writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import click

from ccdaemon import log
from ccdaemon.app import App
from ccdaemon.cli.base import Session, print_json, rfc3339, shown
from ccdaemon.cli.sync import Show, accounts_to_pull, nothing_to_pull, result, shown_progress, sync_account, title
from ccdaemon.model import TIME_MAX, TIME_MIN, Account, Collection, Outcome, Run
from ccdaemon.store.rehearsal import Affected, Departed, Effect, Fate, rehearsal

WORDS = {
    Fate.ADDED: "to add",
    Fate.CHANGED: "to change",
    Fate.REMOVED: "to remove",
    Fate.HELD: "held",
    Fate.QUARANTINED: "to quarantine",
}
"""What is said of a fate before it has come."""

WRITTEN = {False: "nothing was written", True: "nothing was written but access tokens, where they had run out"}
"""By whether they could be renewed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a pull of one collection would do."""

    account: Account
    collection: Collection | None  # None: the listing of the account's collections, which failed
    run: Run  # as the pull would leave it
    is_new: bool = False  # not published yet
    effects: Mapping[Fate, Effect] = field(default_factory=dict)


def preview(
    session: Session, names: Sequence[str], *, full: bool, most: int | None, renew: bool, as_json: bool
) -> Sequence[Run]:
    """Print it; the Runs that the pulls would leave. ``most`` names of each kind of change, None: all.

    With ``renew`` tokens are got as always, which may write the grants; everything else is done to copies anyway.
    """
    previews: list[Preview] = []
    departed: list[tuple[Account, Departed]] = []
    with session.app(read_only=not renew) as app, shown_progress(as_json=as_json) as show, log.context(dry_run=True):
        wanted = accounts_to_pull(app.store, names)
        for account in wanted:
            for one in _account(app, account, full=full, most=most, show=show):
                if isinstance(one, Preview):
                    previews.append(one)
                    _tell(one, show)
                else:
                    departed.append((account, one))
                    if one.is_over:
                        show.tell(f"{account.label} {shown(one.name)}: no longer listed; {one.items} items to remove")
    if as_json:
        collections = [*map(_as_json, previews), *(_departed_as_json(*one) for one in departed)]
        print_json({"version": 1, "dry_run": True, "collections": collections})
    else:
        click.echo(WRITTEN[renew] if wanted else nothing_to_pull(names))
    return [one.run for one in previews]


def _account(app: App, account: Account, *, full: bool, most: int | None, show: Show) -> Iterator[Preview | Departed]:
    """Each collection that the account has or would have, then those that are no longer listed."""
    with rehearsal(app.store, account.id) as copy:
        worker = replace(app.worker, store=copy.store)
        for run, collection in sync_account(worker, account, full, show):
            if collection is None:
                yield Preview(account=account, collection=None, run=run)
                continue
            effects = copy.effects(collection.id, most=most)
            is_new = copy.is_new(collection.id)
            yield Preview(account=account, collection=collection, run=run, is_new=is_new, effects=effects)
        yield from copy.departed()


def _tell(one: Preview, show: Show) -> None:
    name = f"{title(one.account, one.collection)}{' (new)' if one.is_new else ''}"
    counts = ", ".join(f"{effect.count} {WORDS[fate]}" for fate, effect in one.effects.items() if effect.count)
    if one.run.outcome is Outcome.FAILED:
        counts = f"{result(one.run)}{f'; before that {counts}' if counts else ''}"
    show.tell(f"{name}: {counts or 'nothing new'}")
    for fate, effect in one.effects.items():
        for affected in effect.first:
            show.tell(f"  {WORDS[fate]}: {_named(affected)}")
        if effect.count > len(effect.first):
            show.tell(f"  {WORDS[fate]}: {effect.count - len(effect.first)} more; --all names them")


def _named(affected: Affected) -> str:
    starts_at = _starts_at(affected)
    told = shown(affected.name) or "(without a name)"
    told += f", {rfc3339(starts_at)}" if starts_at else ""
    return f"{told} ({shown(affected.reason)})" if affected.reason else told


def _starts_at(affected: Affected) -> datetime | None:
    """When an event or task is, where it has a time: of one of a whole day, midnight in UTC."""
    if not affected.component or not TIME_MIN < affected.starts_at < TIME_MAX:
        return None
    return datetime.fromtimestamp(affected.starts_at, UTC)


def _as_json(one: Preview) -> dict[str, Any]:
    return {
        "account": one.account.ref,
        "collection": one.collection.href if one.collection else None,  # null: the listing of the collections
        "name": one.collection.name if one.collection else None,
        "kind": one.collection.kind if one.collection else None,
        "state": "new" if one.is_new else "known",
        **{name: getattr(one.run, name) for name in ("outcome", "full", "error", "detail")},
        **{fate: _effect_as_json(one.effects[fate]) for fate in one.effects},
    }


def _effect_as_json(effect: Effect) -> dict[str, Any]:
    items = [
        {"name": one.name, "starts_at": _starts_at(one), **({"reason": one.reason} if one.reason else {})}
        for one in effect.first
    ]
    return {"count": effect.count, "items": items}


def _departed_as_json(account: Account, departed: Departed) -> dict[str, Any]:
    return {
        "account": account.ref,
        "collection": departed.href,
        "name": departed.name,
        "kind": departed.kind,
        "state": "ended" if departed.is_over else "missing",
        "items": departed.items,
    }
