"""DAV clients that write at once, through two servers on one database: on both databases nobody's change is lost."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from threading import Barrier
from wsgiref.types import WSGIApplication

import pytest

from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.store.engine import open_store
from tests.unit.dav.dav_client import DavClient, Response
from tests.unit.dav.follower import Follower
from tests.unit.dav.household import START, Household, event
from tests.unit.dav.local import Local, add_local

ROUNDS = 8
EVERYONE = 6  # clients
FINE = frozenset({200, 201, 204, 207, 403, 404, 409, 412})
"""What a client may hear when others write too; 503 is for a database that nobody can use for ten seconds."""


@pytest.fixture
def household(url: str) -> Iterator[Household]:
    with closing(open_store(url)) as store:
        household = Household(store)
        household.add_member("anna")
        yield household


@pytest.fixture
def local(household: Household) -> Local:
    return add_local(household.store, "anna")


@pytest.fixture
def clients(household: Household, url: str) -> Iterator[list[DavClient]]:
    """Half of them at each of two servers, which have nothing in common but the database."""
    with closing(open_store(url)) as other:
        servers: list[WSGIApplication] = [
            make_wsgi_app(store, public_url=None, now=household.clock) for store in (household.store, other)
        ]
        clients = [DavClient(servers[n % 2], "anna", household.anna.password) for n in range(EVERYONE)]
        for client in clients[:2]:
            client.ask("OPTIONS", "/")
        yield clients


def lunch(text: str, uid: str = "lunch", **wanted: int) -> bytes:
    return event(text, uid, START + timedelta(**wanted))[0].encode()


def at_once(*requests: Callable[[], Response]) -> list[Response]:
    """The answers to requests that all begin together."""
    barrier = Barrier(len(requests))

    def begin(request: Callable[[], Response]) -> Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(begin, requests))


def test_of_those_who_change_the_same_version_one_wins(clients: list[DavClient], local: Local) -> None:
    url = local.calendar_url + "lunch.ics"
    etag = clients[0].ask("PUT", url, lunch("Lunch")).headers["etag"]
    for n in range(ROUNDS):
        changes = [lunch(f"Lunch {n} of {k}") for k in range(EVERYONE)]

        answers = at_once(
            *(partial(one.ask, "PUT", url, body, If_Match=etag) for one, body in zip(clients, changes, strict=True))
        )

        assert sorted(answer.status for answer in answers) == [204] + [412] * (EVERYONE - 1)
        [(etag, body)] = [
            (answer.headers["etag"], body)
            for answer, body in zip(answers, changes, strict=True)
            if "etag" in answer.headers
        ]
        assert clients[0].ask("GET", url).body == body


def test_of_those_who_change_and_those_who_delete_the_same_version_one_wins(
    clients: list[DavClient], local: Local
) -> None:
    url = local.calendar_url + "lunch.ics"
    for n in range(ROUNDS):
        etag = clients[0].ask("PUT", url, lunch(f"Lunch {n}")).headers["etag"]
        half = EVERYONE // 2

        answers = at_once(
            *(partial(one.ask, "PUT", url, lunch(f"Late lunch {n}"), If_Match=etag) for one in clients[:half]),
            *(partial(one.ask, "DELETE", url, If_Match=etag) for one in clients[half:]),
        )

        assert len([answer for answer in answers if answer.status == 204]) == 1
        assert {answer.status for answer in answers} <= {204, 412, 404}
        has_changed = any(answer.status == 204 for answer in answers[:half])
        assert clients[0].ask("GET", url).status == (200 if has_changed else 404)


def test_of_those_who_create_at_one_place_one_does(clients: list[DavClient], local: Local) -> None:
    for n in range(ROUNDS):
        url = f"{local.calendar_url}{n}.ics"

        answers = at_once(
            *(
                partial(one.ask, "PUT", url, lunch(f"Of {k}", f"lunch-{n}"), If_None_Match="*")
                for k, one in enumerate(clients)
            )
        )

        assert sorted(answer.status for answer in answers) == [201] + [412] * (EVERYONE - 1)


def test_of_those_who_move_one_item_one_does(clients: list[DavClient], local: Local) -> None:
    for n in range(ROUNDS):
        url = f"{local.calendar_url}{n}.ics"
        clients[0].ask("PUT", url, lunch("Lunch", f"lunch-{n}"))

        answers = at_once(
            *(
                partial(one.ask, "MOVE", url, Destination=f"{local.calendar_url}{n}-to-{k}.ics")
                for k, one in enumerate(clients)
            )
        )

        assert Counter(answer.status for answer in answers) == {201: 1, 404: EVERYONE - 1}


def test_whoever_follows_by_sync_token_has_everything_that_all_others_wrote(
    clients: list[DavClient], household: Household, local: Local
) -> None:
    """Two writers of anything, two who follow meanwhile with small limits, one who moves, one who drops all of it."""
    other = add_local(household.store, "anna")
    urls = [one.calendar_url for one in (local, other)]
    seed = random.randrange(10**6)

    def write(client: DavClient, chance: random.Random) -> list[int]:
        statuses = []
        for _ in range(40):
            href = f"{chance.choice(urls)}{chance.randrange(4)}.ics"
            match chance.randrange(4):
                case 0:
                    answer = client.ask("DELETE", href)
                case 1:
                    to = f"{chance.choice(urls)}{chance.randrange(4)}.ics"
                    answer = client.ask("MOVE", href, Destination=to)
                case _:
                    text = f"Text {chance.randrange(9)}"
                    answer = client.ask(
                        "PUT", href, lunch(text, f"uid-{chance.randrange(4)}", days=chance.randrange(9))
                    )
            statuses.append(answer.status)
        return statuses

    def follow(follower: Follower, chance: random.Random) -> list[int]:
        return [follower.follow(limit=chance.choice([None, 1, 2, 3])).status for _ in range(40)]

    followers = [Follower(client, urls[0]) for client in clients[4:]]
    tasks = [
        *(partial(write, client, random.Random(seed + n)) for n, client in enumerate(clients[:4])),
        *(partial(follow, follower, random.Random(seed - n)) for n, follower in enumerate(followers)),
    ]
    with ThreadPoolExecutor(len(tasks)) as pool:
        running = [pool.submit(task) for task in tasks]
        statuses = {status for one in running for status in one.result()}
    for follower in followers:
        follower.catch_up(limit=2)

    note = f"seed {seed}"
    assert statuses <= FINE, note
    with household.store.read() as reader:
        items = list(reader.items(local.calendar.id))
    uids = [item.index.uid for item in items]
    assert sorted(uids) == sorted(set(uids)), note
    assert [follower.mirror for follower in followers] == [{urls[0] + item.href: item.etag for item in items}] * 2, note


def test_a_collection_that_goes_while_others_write_takes_all_with_it(
    clients: list[DavClient], household: Household
) -> None:
    add_local(household.store, "anna")
    for n in range(ROUNDS):
        url = f"/anna/made-{n}/"
        assert clients[0].ask("MKCALENDAR", url).status == 201
        clients[0].ask("PUT", url + "1.ics", lunch("Lunch", "one"))

        answers = at_once(
            partial(clients[0].ask, "DELETE", url),
            partial(clients[1].ask, "PUT", url + "1.ics", lunch("Late lunch", "one")),
            partial(clients[2].ask, "DELETE", url + "1.ics"),
            partial(clients[3].ask, "MOVE", url + "1.ics", Destination=url + "2.ics"),
            partial(clients[4].ask, "PUT", url + "3.ics", lunch("Lunch", "three")),
            partial(clients[5].ask, "PROPPATCH", url, COLOR, Content_Type="text/xml"),
        )

        assert answers[0].status in (200, 204)
        assert {answer.status for answer in answers} <= FINE
        assert {clients[0].ask("GET", url + name).status for name in ("1.ics", "2.ics", "3.ics")} == {404}


COLOR = (
    b'<propertyupdate xmlns="DAV:"><set><prop><displayname>Other</displayname>'
    b'<calendar-color xmlns="http://apple.com/ns/ical/">#ff0000</calendar-color></prop></set></propertyupdate>'
)
