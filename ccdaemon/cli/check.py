"""``ccdaemon check``: look for damage. Reads only, but for ``--accept``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Session, json_option, now, print_json, shown
from ccdaemon.errors import CcdaemonError

if TYPE_CHECKING:
    from ccdaemon.store.base import Store
    from ccdaemon.store.selftest import Score

DAMAGED = 1
FLIPS = 200  # bytes that the self-test changes


@click.command(cls=Command)
@click.option("--deep", is_flag=True, help="Read every object, not only the structure.")
@click.option("--self-test", is_flag=True, help="Damage a copy of the database, and see whether that is found.")
@click.option("--accept", is_flag=True, help="Show what differs from its checksum, then take it as it is.")
@json_option
@click.pass_context
def check(ctx: click.Context, deep: bool, self_test: bool, accept: bool, as_json: bool) -> None:
    """Look for damage in the database and the vault; exit code 1 when there is any.

    What to do then is said in docs/check.md.
    """
    if sum((deep, self_test, accept)) > 1:
        raise click.UsageError("--deep, --self-test and --accept exclude one another")
    session = ctx.ensure_object(Session)
    if self_test:
        ctx.exit(_self_test(session, as_json=as_json))
    with session.store(read_only=not accept) as store:
        found = _deep(store) if deep or accept else _quick(store)
        if accept and found:
            _accept(store)
    found = list(dict.fromkeys([*found, *_sealed(session)]))
    if as_json:
        print_json({"version": 1, "findings": found})
    else:
        for line in found:
            click.echo(shown(line))
        click.echo(f"{len(found)} findings" if found else "no damage found")
        if accept and found:
            click.echo("what is there now was accepted; look again with --deep")
    if found:
        ctx.exit(DAMAGED)


def _quick(store: "Store") -> Sequence[str]:
    from ccdaemon.store.check import findings

    return findings(store, deep=False)


def _deep(store: "Store") -> Sequence[str]:
    """All that the database alone tells."""
    from ccdaemon.store.check import findings
    from ccdaemon.sync.recheck import index_findings

    return list(dict.fromkeys([*findings(store, deep=True), *index_findings(store, now=now())]))


def _sealed(session: Session) -> Sequence[str]:
    """All that takes the key ring too. What keeps it from being asked is a finding: others stand beside it."""
    from ccdaemon.vault.broker import unreadable_grants

    try:
        with session.app(read_only=True) as app:
            return unreadable_grants(app.store, app.sealer)
    except CcdaemonError as refused:
        return [str(refused)]


def _accept(store: "Store") -> None:
    from ccdaemon.store.check import accept

    accept(store)
    with store.write() as tx:
        tx.audit(actor="cli", action="check.accept", subject="database", now=now())


def _self_test(session: Session, *, as_json: bool) -> int:
    """Run it and say what came of it; the exit code."""
    import secrets

    from ccdaemon.store.selftest import self_test

    seed = secrets.randbits(32)
    score = self_test(session.config().database, _deep, flips=FLIPS, seed=seed)
    if as_json:
        print_json({"version": 1, "passed": score.passed, "seed": seed, **_numbers(score)})
    else:
        for name, value in _numbers(score).items():
            click.echo(f"{name.replace('_', ' ')}: {value}")
        click.echo("the check works" if score.passed else f"the check has a defect (seed {seed}); please report it")
    return 0 if score.passed else DAMAGED


def _numbers(score: "Score") -> dict[str, object]:
    return {
        "flips": score.flips,
        "flips_found": score.flips_found,
        "rows": score.rows,
        "rows_found": score.rows_found,
        "false_alarms": score.false_alarms,
        "missed": score.missed,
        "crashes": score.crashes,
    }
