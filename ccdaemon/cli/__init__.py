"""The command line: one file per command group, each imported only when its command runs."""

import os
import sys
from typing import NoReturn

import click

from ccdaemon import __version__
from ccdaemon.cli.base import INTERRUPTED, Group, hide_rich

COMMANDS = {
    "account": "ccdaemon.cli.account:account",
    "check": "ccdaemon.cli.check:check",
    "dav": "ccdaemon.cli.serve:dav",
    "db": "ccdaemon.cli.init:db",
    "deletions": "ccdaemon.cli.deletions:deletions",
    "demo": "ccdaemon.cli.demo:demo",
    "device": "ccdaemon.cli.device:device",
    "doctor": "ccdaemon.cli.doctor:doctor",
    "enroll": "ccdaemon.cli.enroll:enroll",
    "explain": "ccdaemon.cli.explain:explain",
    "export": "ccdaemon.cli.export:export",
    "history": "ccdaemon.cli.history:history",
    "init": "ccdaemon.cli.init:init",
    "person": "ccdaemon.cli.person:person",
    "quarantine": "ccdaemon.cli.status:quarantine",
    "run": "ccdaemon.cli.serve:run",
    "sandbox": "ccdaemon.cli.sandbox:sandbox",
    "status": "ccdaemon.cli.status:status",
    "sync": "ccdaemon.cli.sync:sync",
    "trash": "ccdaemon.cli.trash:trash",
    "undo": "ccdaemon.cli.undo:undo",
    "worker": "ccdaemon.cli.serve:worker",
}
"""Command name -> where its click command is, and the line that ``--help`` shows without importing it."""

SUMMARIES = {
    "account": "List, rename, pause, disconnect or remove enrolled accounts.",
    "check": "Look for damage in the database and the vault.",
    "dav": "Serve CardDAV and CalDAV (one of the parts of `run`).",
    "db": "Upgrade the database to this version.",
    "deletions": "Show what would be deleted and is held, and decide.",
    "demo": "Try everything on imitated clouds, nothing prepared.",
    "device": "Give a DAV client its own password, or take it back.",
    "doctor": "Check configuration, key, database, clock and grants.",
    "enroll": "Connect a Google or Microsoft account.",
    "explain": "Show what an item was made of and what could not be mapped.",
    "export": "Write contacts, events or tasks to a file.",
    "history": "Show what pulls, and people, did.",
    "init": "Set up configuration, key ring, database and first person.",
    "person": "Add, list or remove the people who subscribe.",
    "quarantine": "List what could not be published, and why.",
    "run": "Run everything: the sync and the DAV server.",
    "sandbox": "Imitate both clouds for trials and tests.",
    "status": "Show accounts, collections and what is wrong with them.",
    "sync": "Pull now.",
    "trash": "List removed items, or put them back.",
    "undo": "Take back what a run did.",
    "worker": "Pull on schedule (one of the parts of `run`).",
}

cli = click.version_option(__version__, message="ccdaemon %(version)s")(
    Group(
        name="ccdaemon",
        commands_at=COMMANDS,
        summaries=SUMMARIES,
        help="Google and Microsoft accounts as standard CardDAV address books and CalDAV calendars.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
)


def main() -> NoReturn:
    """Entry point of the ``ccdaemon`` command. Whatever it makes is for its owner only."""
    os.umask(0o077)
    hide_rich()
    try:
        status = cli.main(prog_name="ccdaemon", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        status = INTERRUPTED
    sys.exit(status if isinstance(status, int) else 0)
