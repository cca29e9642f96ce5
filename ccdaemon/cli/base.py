"""What all commands share: options, the configuration in force, how errors end, how output is printed.

Only click and the standard library are imported here: ``ccdaemon --help`` must be quick.
"""

import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ccdaemon.errors import BadData, CcdaemonError, UnknownName

if TYPE_CHECKING:
    from ccdaemon.app import App
    from ccdaemon.config import Config
    from ccdaemon.model import Account, Person
    from ccdaemon.store.base import Reader, Store

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
READER_GONE = 141  # 128 + SIGPIPE
CANNOT_WRITE = 74  # EX_IOERR


@dataclass
class Session:
    """The common options of one command line, and what they lead to."""

    config_file: Path | None = None
    verbose: bool = False
    service: bool = False  # runs until stopped, and logs as services do

    def config(self) -> "Config":
        """The configuration in force. Raises BadConfiguration."""
        from ccdaemon import log
        from ccdaemon.config import load_config

        log.set_up(service=self.service, verbose=self.verbose)
        return load_config(self.config_file)

    @contextmanager
    def store(self, *, read_only: bool = False) -> "Iterator[Store]":
        """The database alone, for commands that need no key."""
        from ccdaemon.store.engine import open_store

        store = open_store(self.config().database, read_only=read_only)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def app(self, *, read_only: bool = False) -> "Iterator[App]":
        """Everything composed: store, vault, providers, worker. ``read_only``: no byte is written."""
        from ccdaemon.app import build

        app = build(self.config(), read_only=read_only)
        try:
            yield app
        finally:
            app.store.close()


LONGEST_LABEL = 100


def hide_rich() -> None:
    """Keep structlog from importing rich, for tracebacks that no line of ours has: that takes a tenth of a second and
    4 MiB, of every command and of every process of the daemon."""
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # such an import is refused


def show_rich() -> None:
    """For whoever uses it."""
    if sys.modules.get("rich", sys) is None:
        del sys.modules["rich"]


pass_session = click.make_pass_decorator(Session, ensure=True)


def now() -> datetime:
    """The time, where a command hands it on."""
    return datetime.now(UTC)


def _common_options() -> list[click.Parameter]:
    """``--config`` and ``-v`` are taken before and after the command's name; the last one wins."""

    def config_file(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.ensure_object(Session).config_file = Path(value)

    def verbose(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            context.ensure_object(Session).verbose = True

    return [
        click.Option(
            ["--config"], metavar="FILE", expose_value=False, callback=config_file, help="Configuration file to use."
        ),
        click.Option(["-v", "--verbose"], is_flag=True, expose_value=False, callback=verbose, help="Log more."),
    ]


class _Honest(click.Command):
    """Turns our errors into one line on standard error and the exit code of their class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CcdaemonError as error:
            click.echo(f"ccdaemon: {error}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:  # the reader of our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to be flushed into it
            ctx.exit(READER_GONE)
        except OSError as error:
            click.echo(f"ccdaemon: {error.strerror or type(error).__name__}: {error.filename or 'output'}", err=True)
            ctx.exit(CANNOT_WRITE)


class Command(_Honest):
    """A command of ours; use as ``@click.command(cls=Command)``."""


class Group(_Honest, click.Group):
    """A group whose commands may live in modules that are imported only when needed."""

    command_class = Command

    def __init__(
        self,
        *args: Any,
        commands_at: Mapping[str, str] | None = None,
        summaries: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._commands_at = dict(commands_at or {})
        self._summaries = dict(summaries or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, without importing one."""
        return sorted({*super().list_commands(ctx), *self._commands_at})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now if it is one of those elsewhere."""
        found = super().get_command(ctx, cmd_name)
        if found is not None or cmd_name not in self._commands_at:
            return found
        module, _, attribute = self._commands_at[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the summaries where there are some."""
        if not self._summaries:
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._summaries[name]) for name in self.list_commands(ctx)])


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
person_option = click.option("--person", "person_name", metavar="NAME", help="Whose; not needed while there is one.")


# --- printing ---------------------------------------------------------------------------------------------------------


_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What moves the cursor, colours, renames or reorders the lines of a terminal."""


def shown(text: str) -> str:
    """The text on one line, as harmless as it looks; the provider's names and ids come from strangers too."""
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    for line in json.dumps(value, indent=2, ensure_ascii=False, default=json_value).split("\n"):
        click.echo(shown(line))  # the same JSON: these signs stand in its strings only


def json_value(value: Any) -> Any:
    """Times as RFC 3339 in UTC; nothing else is converted silently."""
    if isinstance(value, datetime):
        return rfc3339(value)
    raise TypeError(type(value).__name__)


def rfc3339(moment: datetime) -> str:
    """``2026-11-24T06:23:02Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns for people; nothing but the headings when there are no rows."""
    table = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(headings), *table]) for column in range(len(headings))]
    for line in [list(headings), *table]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return rfc3339(value) if isinstance(value, datetime) else shown(str(value))


# --- finding what an argument names -----------------------------------------------------------------------------------


def find_person(tx: "Reader", name: str | None) -> "Person":
    """The person of that name; the only one there is when no name was given."""
    if name is not None:
        found = tx.person(name)
        if found is not None:
            return found
        raise UnknownName(f"there is no person {name}; `ccdaemon person list` shows who there is")
    persons = tx.persons()
    if len(persons) == 1:
        return persons[0]
    if not persons:
        raise UnknownName("there is nobody yet; `ccdaemon person add NAME` adds somebody")
    raise BadData("there are several people; say whose with --person NAME")


def find_account(tx: "Reader", name: str) -> "Account":
    """The account with that short name; else the one with that label."""
    accounts = tx.accounts()
    for account in (*(one for one in accounts if one.ref == name), *(one for one in accounts if one.label == name)):
        return account
    raise UnknownName(f"there is no account {name}; `ccdaemon account list` shows which there are")


def checked_label(label: str, what: str = "a label") -> str:
    """The text, if a table and a log line can hold it. Raises BadData."""
    tidy = label.strip()
    if not 0 < len(tidy) <= LONGEST_LABEL or not tidy.isprintable():
        raise BadData(f"{what} has 1 to {LONGEST_LABEL} visible characters on one line")
    return tidy


def find_accounts(tx: "Reader", names: Sequence[str]) -> "Sequence[Account]":
    """The accounts named; all of them when none is."""
    return [find_account(tx, name) for name in names] if names else tx.accounts()
