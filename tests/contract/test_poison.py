"""R-51: a listing with one poison each: the rest is published, the poison quarantined, on both databases alike."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stamina

from ccdaemon.model import Kind, ProviderName
from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from tests.contract import postgres
from tests.contract.remotes.clouds import Clouds
from tests.golden.test_sync_histories import KINDS, Teller
from tests.unit.mapping import line_oracle

TEXTS = {
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "crlf": "a\r\nX-EVIL:1",
    "separators": "a\x85b\u2028c\x0bd\x1be",
    "long": "é" * 100_000,
    "bidi": "\u202eabc\ufeff",
    "combining": "e" + "\u0301" * 10_000,
}
NO_OBJECTS = (None, 5, "text", ["list"])
BOMBS = (
    "FREQ=SECONDLY",
    "FREQ=MINUTELY;BYHOUR=25",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=HOURLY",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
)


def people() -> Iterator[Any]:
    def person(number: int, **more: Any) -> dict[str, Any]:
        source = {"type": "CONTACT", "id": f"f00d{number:02x}", "etag": "#e", "updateTime": "2026-11-20T10:00:00Z"}
        return {"resourceName": f"people/c{0xF00D00 + number}", "etag": "%e", "metadata": {"sources": [source]}, **more}

    for number, text in enumerate(TEXTS.values()):
        yield person(
            number,
            names=[{"givenName": text}],
            phoneNumbers=[{"value": "+41 1", "type": text}],
            urls=[{"value": f"https://x.example/{text}"}],
            userDefined=[{"key": text, "value": text}],
        )
    yield person(20, names={"givenName": "no list"}, emailAddresses=[None, 5, {"value": {"x": 1}}])
    yield person(21, birthdays=[{"date": {"year": "x", "month": 99, "day": -1}}])
    yield {"names": [{"givenName": "no id"}]}
    yield {}
    yield from NO_OBJECTS


def contacts() -> Iterator[Any]:
    for number, text in enumerate(TEXTS.values()):
        yield {
            "id": f"poison{number}", "changeKey": "c", "givenName": text, "businessHomePage": f"https://x.example/{text}",
            "emailAddresses": [{"name": text, "address": text}], "categories": [text],
        }  # fmt: skip
    yield {"id": "poison20", "givenName": 5, "businessPhones": "12", "homeAddress": [], "birthday": "0001-13-41T"}
    yield {"givenName": "no id"}
    yield {}
    yield from NO_OBJECTS


def google_events() -> Iterator[Any]:
    at = {"start": {"dateTime": "2026-11-20T10:00:00Z"}, "end": {"dateTime": "2026-11-20T11:00:00Z"}}
    for number, text in enumerate(TEXTS.values()):
        guest = {"email": "a@x.example", "displayName": text, "comment": text}
        yield {"id": f"aaaaa{number}", "summary": text, "location": text, "iCalUID": text, "attendees": [guest], **at}
    for number, rule in enumerate(BOMBS):
        yield {"id": f"bbbbb{number}", "summary": rule, "recurrence": [f"RRULE:{rule}"], **at}
    yield {"id": "ccccc0", "start": {"dateTime": "2026-11-20T10:00:00Z", "timeZone": "x" * 5_000}, "end": at["end"]}
    yield {
        "id": "ccccc1",
        "start": {"dateTime": "2026-11-20T10:00:00Z", "timeZone": "../../etc/passwd"},
        "end": at["end"],
    }
    yield {"id": "ccccc2", "start": at["end"], "end": at["start"]}
    yield {"id": "ccccc3", "start": {"date": "9999-12-31"}, "end": {"date": "10000-01-01"}}
    yield {"id": "ccccc4", "start": at["start"], "end": {"date": "2026-11-21"}}
    yield {"id": "ccccc5", "recurringEventId": "nobody", "originalStartTime": {"date": "x"}, **at}
    yield {"summary": "no id", **at}
    yield {}
    yield from NO_OBJECTS


def graph_events() -> Iterator[Any]:
    at = {
        "start": {"dateTime": "2026-11-20T10:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-20T11:00:00.0000000", "timeZone": "UTC"},
    }
    for number, text in enumerate(TEXTS.values()):
        body = {"contentType": "html", "content": f"<p>{text}</p>"}
        yield {"id": f"poison{number}", "type": "singleInstance", "subject": text, "body": body, "iCalUId": text, **at}
    yield {
        "id": "poison20",
        "type": "singleInstance",
        "start": {"dateTime": "x" * 5_000, "timeZone": 5},
        "end": at["end"],
    }
    yield {"id": "poison21", "type": "singleInstance", "start": at["end"], "end": at["start"]}
    yield {"id": "poison22", "type": "seriesMaster", "recurrence": {"pattern": {"type": "hourly"}}, **at}
    yield {"type": "singleInstance", "subject": "no id", **at}
    yield {}
    yield from NO_OBJECTS


def google_tasks() -> Iterator[Any]:
    for number, text in enumerate(TEXTS.values()):
        yield {"id": f"poison{number}", "title": text, "notes": text, "updated": "2026-11-20T10:00:00.000Z"}
    yield {"id": "poison20", "title": 5, "due": "never", "status": ["x"], "links": 5}
    yield {"title": "no id"}
    yield {}
    yield from NO_OBJECTS


def graph_tasks() -> Iterator[Any]:
    for number, text in enumerate(TEXTS.values()):
        yield {"id": f"poison{number}", "title": text, "body": {"contentType": "html", "content": text}}
    yield {"id": "poison20", "title": "t", "dueDateTime": {"dateTime": "x", "timeZone": "y" * 5_000}, "recurrence": []}
    yield {"title": "no id"}
    yield {}
    yield from NO_OBJECTS


POISON = {
    (ProviderName.GOOGLE, Kind.CONTACTS): people,
    (ProviderName.MICROSOFT, Kind.CONTACTS): contacts,
    (ProviderName.GOOGLE, Kind.EVENTS): google_events,
    (ProviderName.MICROSOFT, Kind.EVENTS): graph_events,
    (ProviderName.GOOGLE, Kind.TASKS): google_tasks,
    (ProviderName.MICROSOFT, Kind.TASKS): graph_tasks,
}


@pytest.fixture
def clouds() -> Iterator[Clouds]:
    settings = Settings(listen="127.0.0.1:0", contacts=20, events=20, tasks=20)
    with Sandbox(settings) as sandbox, stamina.set_testing(True, attempts=3, cap=True):
        yield Clouds(sandbox.start())


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    if reason := postgres.why_absent():
        pytest.skip(reason)
    with postgres.server() as running:
        yield running


def pulled(clouds: Clouds, store: Store, provider: ProviderName, kind: Kind) -> dict[str, Any]:
    """Pull twice; what is stored then."""
    teller = Teller(clouds, store, provider, kind)
    teller.tell({"pull": "done"})
    teller.tell({"unchanged": True})
    teller.tell({"pull": "done", "full": True})
    teller.tell({"unchanged": True})
    with store.read() as tx:
        number = teller.collection.id
        return {
            "items": [(item.href, item.etag, item.body, item.index) for item in tx.items(number)],
            "quarantine": {one.group_id: one.reason for one in tx.quarantined(number)},
            "originals": {group: tx.group(number, group) for group in tx.group_ids(number)},
        }


@pytest.mark.postgresql
@pytest.mark.parametrize("service", POISON, ids=" ".join)
def test_r51_poison_costs_itself_alone_on_both_databases(
    service: tuple[ProviderName, Kind], clouds: Clouds, server: postgres.Server, tmp_path: Path
):
    provider, kind = service
    objects = list(POISON[service]())
    sqlite = open_store(f"sqlite:///{tmp_path}/clean.db", create=True)
    clean = pulled(clouds, sqlite, provider, kind)
    collection = Teller(clouds, open_store(f"sqlite:///{tmp_path}/ask.db", create=True), provider, kind).collection
    order = {"person": "ada", "provider": provider, "kind": KINDS[kind], "objects": objects}
    clouds.control("POST poison", {**order, **({} if kind is Kind.CONTACTS else {"collection": collection.remote_id})})

    seen = []
    with server.database() as url:
        for where in (f"sqlite:///{tmp_path}/poison.db", url):
            store = open_store(where, create=True)
            seen.append(pulled(clouds, store, provider, kind))
            store.close()
    sqlite.close()

    assert seen[0] == seen[1]
    published, quarantined = {item[0]: item for item in seen[0]["items"]}, seen[0]["quarantine"]
    assert {item[0] for item in clean["items"]} <= published.keys()
    assert len(published) - len(clean["items"]) + len(quarantined) - len(clean["quarantine"]) == len(objects)
    assert [reason for reason in quarantined.values() if "defect" in reason] == []
    assert len(published) - len(clean["items"]) >= len(TEXTS)  # odd text is no reason to hide anything
    for _, _, body, _ in seen[0]["items"]:
        assert "X-EVIL" not in {line.name for line in line_oracle.read(body)}
        json.dumps(body).encode("ascii")
