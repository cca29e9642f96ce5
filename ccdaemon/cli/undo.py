"""``ccdaemon undo``: take back what a Run did."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Session, json_option, now, print_json, shown

if TYPE_CHECKING:
    from ccdaemon.store.base import Store
    from ccdaemon.sync.undo import Undoer, Undone
    from ccdaemon.sync.way_back import Left

PARTLY = 1  # exit code where something could not be put back
FEW = 10  # names shown of each kind; --json shows all

DONE = {
    "put_back": ("put back", "would be put back"),
    "change_back": ("changed back", "would be changed back"),
    "take_away": ("taken away", "would be taken away"),
}
"""Deed -> how it is told when it was done, and when it would be."""

LEFT = {
    "changed_since": "changed since and left as they are",
    "in_the_way": "not put back: another item has their UID or is made of the same object",
    "not_known": "left as they are: a newer ccdaemon wrote them anew, what they were is not kept",
    "gone": "not put back: no longer in the trash",
}


@click.command(cls=Command)
@click.argument("run", type=int)
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@json_option
@click.pass_context
def undo(ctx: click.Context, run: int, dry_run: bool, as_json: bool) -> None:
    """Take back what RUN did; `history` shows its number.

    What it removed and changed is put back, what it added is taken away, here only: the provider is not told, and
    where it changes one of these items later its version counts again. What was changed since RUN stays as it is.
    """
    with ctx.ensure_object(Session).store(read_only=dry_run) as store:
        done = undoer(store).undo(run, dry_run=dry_run)
    if as_json:
        print_json({"version": 1, "undoes": run, "dry_run": dry_run, **undone_json(done)})
    else:
        tell(done, dry_run=dry_run)
    ctx.exit(exit_code([done]) if not dry_run else 0)


def undoer(store: "Store") -> "Undoer":
    """Composed for this command; it needs no key."""
    from ccdaemon.mapping.codecs import CODECS
    from ccdaemon.store.owner import owner_name
    from ccdaemon.sync.undo import Undoer

    return Undoer(store=store, codec=lambda provider, kind: CODECS[provider, kind], owner=owner_name(), now=now)


def tell(done: "Undone", *, dry_run: bool) -> None:
    """Print what was done, or would be."""
    for deed, (did, would) in DONE.items():
        names = [step.name for step in done.steps if step.deed == deed]
        if names:
            click.echo(f"{len(names)} items {would if dry_run else did}: {_some(names)}")
    for left, number in sorted(done.left.items()):
        click.echo(f"{number} items {LEFT[left]}")
    if done.run is not None:
        click.echo(f"this is run {done.run.id}; `ccdaemon undo {done.run.id}` takes it back")


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(shown(name) or "(without a name)" for name in names[:FEW])
    return f"{listed} and {len(names) - FEW} more" if len(names) > FEW else listed


def undone_json(done: "Undone") -> dict[str, object]:
    """As scripts read it."""
    return {
        "run": done.run.id if done.run else None,
        **{deed: [step.name for step in done.steps if step.deed == deed] for deed in DONE},
        "left": {left: done.left[_left(left)] for left in LEFT},
    }


def _left(word: str) -> "Left":
    from ccdaemon.sync.way_back import Left

    return Left(word)


def exit_code(done: "Sequence[Undone]") -> int:
    """0, or 1 where something that was asked for could not be put back."""
    left: Counter[str] = Counter()
    for one in done:
        left.update(one.left)
    return PARTLY if left["in_the_way"] or left["gone"] else 0
