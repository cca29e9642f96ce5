"""``ccdaemon check``: look for damage. Reads only."""

import click

from ccdaemon.cli.base import Command, Session, json_option, print_json

DAMAGED = 1


@click.command(cls=Command)
@click.option("--deep", is_flag=True, help="Read every object, not only the structure.")
@json_option
@click.pass_context
def check(ctx: click.Context, deep: bool, as_json: bool) -> None:
    """Look for damage in the database and the vault; exit code 1 when there is any."""
    from ccdaemon.store.check import findings
    from ccdaemon.vault.broker import unreadable_grants

    with ctx.ensure_object(Session).app() as app:
        found = [*findings(app.store, deep=deep), *unreadable_grants(app.store, app.sealer)]
    if as_json:
        print_json({"version": 1, "findings": found})
    else:
        for line in found:
            click.echo(line)
        click.echo(f"{len(found)} findings" if found else "no damage found")
    if found:
        ctx.exit(DAMAGED)
