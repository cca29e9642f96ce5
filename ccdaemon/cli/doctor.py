"""``ccdaemon doctor``: what has to be right before anything else can be, each with what to do when it is not."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import click

from ccdaemon.cli.base import Command, Session, find_accounts, json_option, now, print_json
from ccdaemon.errors import CcdaemonError
from ccdaemon.model import CLOUDS, ProviderName

if TYPE_CHECKING:
    from ccdaemon.app import App
    from ccdaemon.config import Config

FAILED = 1
CLOCK_TOLERANCE = timedelta(minutes=5)  # id tokens and codes are refused beyond it
LOW_SPACE_BYTES = 200 * 1024 * 1024
DISCOVERY = {
    ProviderName.GOOGLE: "https://accounts.google.com/.well-known/openid-configuration",
    ProviderName.MICROSOFT: "https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration",
}
REDIRECT = {ProviderName.GOOGLE: "http://127.0.0.1 (any port; a desktop client needs none registered)",
            ProviderName.MICROSOFT: "http://localhost (platform: mobile and desktop applications)"}  # fmt: skip

UNUSED = {
    ProviderName.GOOGLE: "Google ends it after six months without use",
    ProviderName.MICROSOFT: "Microsoft ends it after 90 days without use",
}


class Verdict(StrEnum):
    """How one check ended."""

    OK = "ok"
    WARNING = "warning"  # works, but look at it
    FAILED = "failed"  # something will not work


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the report."""

    verdict: Verdict
    what: str
    detail: str


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@json_option
@click.pass_context
def doctor(ctx: click.Context, accounts: tuple[str, ...], as_json: bool) -> None:
    """Check configuration, key, database, clock and grants; exit code 1 when something will not work."""
    session = ctx.ensure_object(Session)
    findings = list(_examine(session, accounts))
    if as_json:
        print_json(
            {"version": 1, "findings": [{"verdict": f.verdict, "what": f.what, "detail": f.detail} for f in findings]}
        )
    else:
        for finding in findings:
            click.echo(f"{finding.verdict.upper():<8} {finding.what}: {finding.detail}")
    if any(finding.verdict is Verdict.FAILED for finding in findings):
        ctx.exit(FAILED)


def _examine(session: Session, accounts: tuple[str, ...]) -> Iterator[Finding]:
    """Every check that can be made; one that fails may make the later ones pointless."""
    try:
        config = session.config()
    except CcdaemonError as error:
        yield Finding(verdict=Verdict.FAILED, what="configuration", detail=str(error))
        return
    yield Finding(verdict=Verdict.OK, what="configuration", detail=f"data in {config.data_dir}")
    yield from _data_dir(config)
    try:
        with session.app() as app:
            yield Finding(verdict=Verdict.OK, what="key ring and database", detail="belong together and open")
            if not app.providers:
                yield Finding(
                    verdict=Verdict.WARNING,
                    what="providers",
                    detail="no OAuth client is configured, so no account can be enrolled",
                )
            for name in CLOUDS:
                yield from _provider(app, name)
            yield from _grants(app, accounts)
    except CcdaemonError as error:
        yield Finding(verdict=Verdict.FAILED, what="key ring and database", detail=str(error))


def _data_dir(config: "Config") -> Iterator[Finding]:
    path = config.data_dir
    try:
        exists = path.is_dir()
    except OSError as error:
        yield Finding(verdict=Verdict.FAILED, what="data_dir", detail=f"{path} cannot be looked at: {error.strerror}")
        return
    if not exists:
        yield Finding(verdict=Verdict.FAILED, what="data_dir", detail=f"{path} is missing; run ccdaemon init")
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(verdict=Verdict.WARNING, what="data_dir", detail=f"others can look into it; chmod 700 {path}")
    if not os.access(path, os.W_OK):
        yield Finding(verdict=Verdict.FAILED, what="data_dir", detail=f"{path} cannot be written")
    free = shutil.disk_usage(path).free
    if free < LOW_SPACE_BYTES:
        yield Finding(verdict=Verdict.WARNING, what="disk", detail=f"{free // 1024**2} MiB are free")


def _provider(app: "App", name: ProviderName) -> Iterator[Finding]:
    """OAuth client, endpoint, reachability and the clock as the provider sees it."""
    if name not in app.providers:
        yield Finding(
            verdict=Verdict.OK,
            what=name,
            detail=f"no OAuth client is configured (provider.{name}.client_id; docs/setup-{name}.md)",
        )
        return
    endpoint = app.config.provider.endpoint(name)
    if endpoint:
        yield Finding(verdict=Verdict.WARNING, what=name, detail=f"NON-STANDARD ENDPOINT {endpoint}")
    yield Finding(verdict=Verdict.OK, what=name, detail=f"OAuth client configured; redirect URI {REDIRECT[name]}")
    yield _reach(name, endpoint, now)


def _reach(name: ProviderName, endpoint: str | None, clock: Callable[[], datetime]) -> Finding:
    from urllib.parse import urlsplit

    from ccdaemon.providers.transport import Transport

    url = DISCOVERY[name]
    try:
        with Transport({urlsplit(url).hostname or ""}, endpoint, total_seconds=10.0) as transport:
            answer = transport.request("GET", url)
    except CcdaemonError as error:
        return Finding(verdict=Verdict.FAILED, what=name, detail=f"cannot be reached: {error}")
    sent = answer.headers.get("Date")
    skew = abs(clock() - parsedate_to_datetime(sent).astimezone(UTC)) if sent else timedelta()
    if skew > CLOCK_TOLERANCE:
        return Finding(
            verdict=Verdict.FAILED,
            what="clock",
            detail=f"this machine and {name} differ by {int(skew.total_seconds())} s; switch time synchronisation on",
        )
    return Finding(verdict=Verdict.OK, what=name, detail="answers; the clocks agree")


def _grants(app: "App", accounts: tuple[str, ...]) -> Iterator[Finding]:
    from ccdaemon import status as report
    from ccdaemon.app import missing_purposes
    from ccdaemon.model import AccountState

    with app.store.read() as tx:
        for account in find_accounts(tx, accounts):
            grant = tx.grant(account.id)
            status = report.account_status(
                tx,
                account,
                endpoint=None,
                missing=missing_purposes(account, grant),
                interval=app.config.sync.interval,
                now=now(),
            )
            good = status.state in {AccountState.OK, AccountState.PAUSED}
            yield Finding(
                verdict=Verdict.OK if good else Verdict.FAILED,
                what=f"account {account.label}",
                detail=status.problem or _life(account.provider, grant.refresh_expires_at if grant else None),
            )


def _life(provider: ProviderName, refresh_expires_at: datetime | None) -> str:
    """How long the grant lives, as far as the provider says."""
    if provider not in CLOUDS:
        return "kept here only, it needs no grant"
    if refresh_expires_at is None:
        return f"the grant is alive; {UNUSED[provider]}"
    remedy = "; publish the app in Google's console to lift that" if provider is ProviderName.GOOGLE else ""
    return f"the grant is alive and ends on {refresh_expires_at:%Y-%m-%d %H:%M} UTC{remedy}"
