"""Whatever a client sends, the answer is one of HTTP, whole, and about nobody else."""

import random
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.store.engine import open_store
from tests.unit.dav.dav_client import DavClient, Response, clark
from tests.unit.dav.dav_grammar import Asked, Grammar
from tests.unit.dav.estate import ITEMS, furnish
from tests.unit.dav.household import Household

CASES = Path(__file__).parents[2] / "golden"
OF_BEN = (b"of ben", b"of-ben", b"/ben/")
SEED, REQUESTS = 3, 1000


def check(asked: Asked, answer: Response) -> None:
    """What is true of every answer."""
    expected = {507} | ({502} if asked.method == "MOVE" else set())  # to another server (RFC 4918 section 9.9.4)
    assert answer.status < 500 or answer.status in expected
    length = answer.headers.get("content-length")
    if answer.status in (204, 304):
        assert answer.body == b""
    elif asked.method == "HEAD":
        assert (length is not None, answer.body) == (True, b"")
    else:
        assert length == str(len(answer.body))
    if asked.method == "HEAD" or "content-encoding" in answer.headers or answer.status == 304:
        return
    if "xml" in answer.headers.get("content-type", ""):
        assert answer.xml.tag
    if answer.status == 207:
        for response in answer.xml.iter(clark("d:response")):
            assert response.findtext(clark("d:href"))
            whole, parts = response.findall(clark("d:status")), response.findall(clark("d:propstat"))
            assert (len(whole) == 1) != bool(parts)
    said = f"{asked.path} {asked.headers}".encode() + asked.body
    if b"ben" not in said:
        assert not any(word in answer.body for word in OF_BEN)


def run(seed: int, count: int, household: Household, bodies: Sequence[str]) -> None:
    """Ask so many random requests as Anna, of what she has and, for some seeds, of what Ben has."""
    chance = random.Random(seed)
    own, foreign = furnish(household, "anna"), furnish(household, "ben")
    local = [own.shelves["local-calendar"].url, own.shelves["local-book"].url]
    collections = [*(shelf.url for shelf in own.shelves.values()), "/anna/nowhere/", "/anna/new/", *local * 5]
    places = ["/", "/anna/", *collections, *(own.url(name) for name in (*ITEMS, "local-card", "local-event"))]
    if chance.random() < 0.3:
        places += ["/ben/", *(shelf.url for shelf in foreign.shelves.values()), foreign.url("local-event")]
    names = [dict(own.names(place)) for place in ("calendar", "book", "local-calendar", "local-book", "tasks")]
    grammar = Grammar(chance, places, collections, bodies, names)
    grammar.heard += [shelf.old_token for shelf in own.shelves.values()]
    application = make_wsgi_app(household.store, public_url=None, now=household.clock)
    anna = DavClient(application, "anna", household.anna.password)
    for number in range(count):
        asked = grammar.request()
        try:
            answer = ask(anna, asked)
            check(asked, answer)
            if asked.method == "GET" and answer.status == 200:
                head = ask(anna, replace(asked, method="HEAD"))
                assert (head.status, head.headers) == (answer.status, answer.headers)
        except BaseException as error:
            error.add_note(f"seed {seed}, request {number}: {asked}")
            raise
        if asked.method == "PUT" and answer.status == 201:
            grammar.written.append(asked.path)
        if answer.status == 207 and "content-encoding" not in answer.headers and answer.sync_token:
            grammar.heard.append(answer.sync_token)
        if etag := answer.headers.get("etag"):
            grammar.heard.append(etag)
        del grammar.heard[4:-40]


def ask(client: DavClient, asked: Asked) -> Response:
    """In the letters of WSGI."""
    headers = {name: value.encode().decode("latin-1") for name, value in asked.headers.items()}
    return client.ask(asked.method, asked.path.encode().decode("latin-1"), asked.body, environ=None, **headers)


def golden_bodies() -> Sequence[str]:
    paths = sorted([*CASES.glob("*/*/expected.ics"), *CASES.glob("*/*/expected.vcf")])
    return [path.read_bytes().decode() for path in paths]


def make(url: str) -> Household:
    household = Household(open_store(url, create=url.startswith("sqlite")))
    household.add_member("anna")
    household.add_member("ben")
    return household


def test_no_request_finds_a_defect_or_somebody_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """More by ``for seed in range(…): run(seed, …)``."""
    household = make(f"sqlite:///{tmp_path}/ccdaemon.db")
    with closing(household.store):
        run(SEED, REQUESTS, household, golden_bodies())

    assert not [record.getMessage() for record in caplog.records if record.name == "ccdaemon.dav.front.finish"]
