"""What the faults happen to: a daemon for both accounts of ada, and a client with an address book of its own there."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from ccdaemon.store.engine import open_store
from ccdaemon.store.schema import collections
from ccdaemon.store.transaction import SqlTransaction
from tests.system.client import Dav
from tests.system.installation import Cloud, Installation, Process, enrolled
from tests.system.local import database_of, give_account, serving

SELDOM = '[sync]\ninterval = "1h"'  # pulls come when ``make_due`` says so, and not beside
PUBLISHED = (
    "SELECT c.kind, c.remote_id, i.href, i.uid, i.etag, i.body FROM items i"
    " JOIN collections c ON c.id = i.collection_id JOIN accounts a ON a.id = c.account_id"
    " WHERE NOT i.deleted AND a.provider IN ('google', 'microsoft')"
)
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{uid}\r\nN:{uid};;;;\r\n{more}END:VCARD\r\n"
MKCOL = """<?xml version="1.0"?>
<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop>
<resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>"""
ALL_READ = [207, 207, 200]
"""What ``reads`` gives where nothing is wrong."""
CREATED, UNAVAILABLE, INSUFFICIENT_STORAGE = 201, 503, 507


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Both accounts, nothing pulled, and a device with an address book of its own that holds one contact."""

    installation: Installation
    user: str
    password: str

    def copy(self, folder: Path) -> Installation:
        """Where the database is a file in its folder."""
        shutil.copytree(self.installation.folder, folder)
        return Installation(folder, self.installation.cloud)

    def client(self, url: str) -> Dav:
        return Dav(url=url, user=self.user, password=self.password)

    @property
    def book(self) -> str:
        """The path of its address book."""
        return f"/{self.user}/own/"


def prepare(folder: Path, cloud: Cloud, **env: str) -> Prepared:
    """In an empty folder or a new one; ``env`` is for all commands."""
    folder.mkdir(exist_ok=True)
    installation = enrolled(folder, cloud, SELDOM, **env)
    give_account(installation)
    with serving(installation) as (_process, client):
        prepared = Prepared(installation=installation, user=client.user, password=client.password)
        assert client.request("MKCOL", prepared.book, MKCOL).status_code == CREATED
        assert put(client, f"{prepared.book}first.vcf") == CREATED
    return prepared


@contextmanager
def running(installation: Installation) -> Iterator[tuple[Process, str]]:
    """The daemon once both parts answer, and where it serves; none of them dies, and SIGTERM ends it."""
    process = installation.start("run")
    try:
        ready = dict(process.ready("READY ").partition(" ")[::2] for _ in range(2))
        children = process.children()
        yield process, ready["dav"]
        assert process.children() == children
        assert process.terminate() == 0
    finally:
        process.close()


def put(client: Dav, path: str, more: str = "") -> int:
    """Write a contact with these lines more; the status."""
    card = CARD.format(uid=path.rpartition("/")[2].removesuffix(".vcf"), more=more)
    return client.request("PUT", path, card, **{"Content-Type": "text/vcard"}).status_code


def reads(client: Dav, book: str) -> list[int]:
    """The statuses of what a client asks that only looks."""
    return [
        client.request("PROPFIND", f"/{client.user}/", Depth="1").status_code,
        client.request("PROPFIND", book, Depth="1").status_code,
        client.request("GET", f"{book}first.vcf").status_code,
    ]


def make_due(installation: Installation) -> None:
    """Every collection is due: the interval is over, or the half a minute or more that follows a failure."""
    with closing(open_store(database_of(installation))) as store, store.write() as tx:
        assert isinstance(tx, SqlTransaction)
        tx.connection.execute(update(collections).values(next_pull_at=datetime.now(UTC)))


def contacts(installation: Installation) -> int:
    """How many of Google are published."""
    query = (
        "SELECT count(*) FROM items i JOIN collections c ON c.id = i.collection_id"
        " JOIN accounts a ON a.id = c.account_id"
        " WHERE NOT i.deleted AND c.kind = 'contacts' AND a.provider = 'google'"
    )
    return int(installation.rows(query)[0][0])
