"""Real clients: the vdirsyncer command, and the few requests that a CardDAV or CalDAV client makes when it polls."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import requests

PATIENCE = 120.0  # seconds; generous, since the machines that run this are slow and shared
VDIRSYNCER = Path(sys.executable).with_name("vdirsyncer")

CONFIGURATION = """
[general]
status_path = "{folder}/status"

[pair contacts]
a = "contacts_here"
b = "contacts_there"
collections = ["from b"]
conflict_resolution = "b wins"
metadata = ["displayname"]

[storage contacts_here]
type = "filesystem"
path = "{folder}/contacts"
fileext = ".vcf"

[storage contacts_there]
type = "carddav"
url = "{url}"
username = "{user}"
password = "{password}"

[pair calendars]
a = "calendars_here"
b = "calendars_there"
collections = ["from b"]
conflict_resolution = "b wins"
metadata = ["displayname", "color"]

[storage calendars_here]
type = "filesystem"
path = "{folder}/calendars"
fileext = ".ics"

[storage calendars_there]
type = "caldav"
url = "{url}"
username = "{user}"
password = "{password}"
"""


@dataclass(frozen=True, kw_only=True)
class Vdirsyncer:
    """The command with a configuration and files of its own; it knows nothing but URL, user and password."""

    folder: Path

    @classmethod
    def at(cls, folder: Path, url: str, user: str, password: str) -> "Vdirsyncer":
        """Configured, in a new folder."""
        folder.mkdir()
        (folder / "config").write_text(CONFIGURATION.format(folder=folder, url=url, user=user, password=password))
        return cls(folder=folder)

    def run(self, *arguments: str) -> None:
        """It asks before it makes folders: yes. Fails when it reports anything wrong."""
        done = subprocess.run(
            [VDIRSYNCER, "-c", self.folder / "config", *arguments],
            input="y\n" * 100, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        assert "error:" not in done.stdout, done.stdout

    def files(self) -> dict[str, list[str]]:
        """The texts of every collection, by its path segment; also of the empty ones."""
        return {
            folder.name: [path.read_bytes().decode() for path in sorted(folder.iterdir()) if path.suffix]
            for kind in ("contacts", "calendars")
            for folder in sorted((self.folder / kind).iterdir())
        }


SYNC_COLLECTION = """<?xml version="1.0"?>
<sync-collection xmlns="DAV:"><sync-token>{token}</sync-token><sync-level>1</sync-level>
<prop><getetag/></prop></sync-collection>"""
STATE = """<?xml version="1.0"?>
<propfind xmlns="DAV:" xmlns:CS="http://calendarserver.org/ns/"><prop>
<sync-token/><CS:getctag/><getetag/><resourcetype/></prop></propfind>"""
DAV = "{DAV:}"


@dataclass(frozen=True, kw_only=True)
class State:
    """What a poll shows of one collection."""

    ctag: str
    token: str
    etags: dict[str, str]  # by the last path segment


@dataclass(frozen=True, kw_only=True)
class Dav:
    """A client that polls."""

    url: str
    user: str
    password: str

    def request(self, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
        """One request, as this client."""
        return requests.request(
            method, self.url + path, data=body.encode(), headers={"Content-Type": "application/xml", **headers},
            auth=(self.user, self.password), timeout=PATIENCE,
        )  # fmt: skip

    def collections(self) -> list[str]:
        """The path segments of all address books and calendars of the home."""
        rows = self._multistatus("PROPFIND", f"/{self.user}/", STATE, Depth="1")
        return sorted(path.split("/")[2] for path, _ in rows if path.count("/") == 3)

    def state(self, collection: str) -> State:
        """Everything that a poll asks for."""
        path = f"/{self.user}/{collection}/"
        rows = dict(self._multistatus("PROPFIND", path, STATE, Depth="1"))
        own = rows.pop(path)
        return State(
            ctag=own.findtext(".//{http://calendarserver.org/ns/}getctag") or "",
            token=own.findtext(f".//{DAV}sync-token") or "",
            etags={_last(item): row.findtext(f".//{DAV}getetag") or "" for item, row in rows.items()},
        )

    def states(self) -> dict[str, State]:
        """Of all collections."""
        return {collection: self.state(collection) for collection in self.collections()}

    def changes(self, collection: str, token: str) -> dict[str, str | None]:
        """What ``sync-collection`` reports since the token: etags by href, None where an item is gone."""
        path = f"/{self.user}/{collection}/"
        rows = self._multistatus("REPORT", path, SYNC_COLLECTION.format(token=token))
        return {_last(item): row.findtext(f".//{DAV}getetag") for item, row in rows}

    def bodies(self, collection: str) -> dict[str, str]:
        """Every item, by href."""
        return {
            href: self.request("GET", f"/{self.user}/{collection}/{href}").content.decode()
            for href in self.state(collection).etags
        }

    def _multistatus(self, method: str, path: str, body: str, **headers: str) -> list[tuple[str, ElementTree.Element]]:
        answer = self.request(method, path, body, **headers)
        assert answer.status_code == 207, f"{method} {path}: {answer.status_code}"
        root = ElementTree.fromstring(answer.content)
        return [
            (unquote(urlsplit(row.findtext(f"{DAV}href") or "").path), row) for row in root.findall(f"{DAV}response")
        ]


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
