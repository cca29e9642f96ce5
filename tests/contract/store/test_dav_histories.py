"""Seeded random histories of DAV clients: some write, others follow by sync-token and ask, through two servers on one
database, while the engine brings what is new in the clouds and the index is made and made again.

After every step each answer must be what a look at all the bodies gives. Run one seed with ``--seed N``, many with
``--seeds 20000``.
"""

import random
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ccdaemon.dav.filters.evaluation import matches
from ccdaemon.dav.reports.freebusy import NO_TIME
from ccdaemon.dav.server import make_wsgi_app
from ccdaemon.errors import Unmappable
from ccdaemon.mapping import contacts, ical
from ccdaemon.mapping.expansion import free_busy
from ccdaemon.mapping.indexing import search_index
from ccdaemon.mapping.occurrences import free_busy_type, occurrences
from ccdaemon.model import Collection, Kind, ProviderName
from ccdaemon.store.base import Draft, Store
from ccdaemon.store.engine import open_store
from ccdaemon.sync.reindex import reindex
from tests.unit.dav.dav_client import DavClient, propfind, xml
from tests.unit.dav.filter_bodies import calendar_filter, card_filter
from tests.unit.dav.filter_corpus import ALL, CARD_CONTENTS, CONTENTS
from tests.unit.dav.follower import Follower
from tests.unit.dav.household import START, Household
from tests.unit.dav.local import add_local

STEPS = 25
HREFS = 5  # in each collection
HISTORIES = 0.007  # of the seeds that are asked for, on each database: after every step all that can be asked is asked

CARDS, EVENTS = tuple(ALL[""].values()), tuple(ALL["VEVENT"].values())
TASKS = tuple(ALL["VTODO"].values())
COMPONENTS = ("VEVENT", "VTODO")


@dataclass
class Shelf:
    """One collection, with what was known of it after the last step."""

    row: Collection
    url: str
    zone: ZoneInfo
    followers: list[Follower]
    ctag: str = ""
    etags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        return self.row.provider is ProviderName.LOCAL


class History:
    """One seed."""

    def __init__(self, seed: int, stores: tuple[Store, Store]) -> None:
        self.chance = random.Random(seed)
        self.stores = stores
        self.household = Household(stores[0])
        name = f"anna{seed}"
        anna = self.household.add_member(name)
        servers = [make_wsgi_app(store, public_url=None, now=self.household.clock) for store in stores]
        self.clients = [DavClient(server, name, anna.password) for server in servers]
        first, second = (add_local(stores[0], name) for _ in range(2))
        rows = [anna.contacts, anna.calendar, first.contacts, first.calendar, second.contacts, second.calendar]
        self.shelves = [
            Shelf(
                row=row,
                url=f"/{name}/{row.href}/",
                zone=ZoneInfo(row.time_zone or "UTC"),
                followers=[Follower(self.client(), f"/{name}/{row.href}/") for _ in range(2)],
            )
            for row in rows
        ]
        self.local = [shelf for shelf in self.shelves if shelf.is_local]
        self.cloud = [shelf for shelf in self.shelves if not shelf.is_local]
        self.check()

    def client(self) -> DavClient:
        return self.chance.choice(self.clients)

    # --- what can happen

    def step(self) -> None:
        weighted = [self.put] * 6 + [self.delete] * 2 + [self.move] * 2 + [self.pull] * 4 + [self.index] * 2
        self.chance.choice([*weighted, self.wait, self.color])()
        self.household.clock.advance(timedelta(seconds=self.chance.randrange(1, 600)))
        self.check()

    def put(self) -> None:
        shelf = self.chance.choice(self.local)
        body, _ = self._body(shelf, self.chance.choice([None, *range(HREFS)]))
        href = self._href(shelf)
        condition = self.chance.choice([{}, {}, {"If_None_Match": "*"}, {"If_Match": shelf.etags.get(href, '"none"')}])
        self.client().ask("PUT", shelf.url + href, body.encode(), environ=None, **condition)

    def delete(self) -> None:
        shelf = self.chance.choice(self.local)
        self.client().ask("DELETE", shelf.url + self._href(shelf))

    def move(self) -> None:
        source, target = (self.chance.choice(self.local) for _ in range(2))
        to = target.url + self._href(target)
        self.client().ask("MOVE", source.url + self._href(source), Destination=to, Overwrite=self.chance.choice("TF"))

    def pull(self) -> None:
        """As settle.py does it: some items with their index, those that an older program wrote without."""
        shelf = self.chance.choice(self.cloud)
        now = self.household.clock()
        with self.chance.choice(self.stores).write() as tx:
            if self.chance.random() < 0.3:
                tx.remove(shelf.row.id, self._href(shelf), now=now)
                return
            drafts = []
            for number in self.chance.sample(range(HREFS), self.chance.randrange(1, HREFS)):
                body, component = self._body(shelf, number)
                index = ical.index(body) if component else contacts.index(body)
                search = search_index(body, component, now=now) if self.chance.random() < 0.7 else None
                href = f"{number}.{'ics' if component else 'vcf'}"
                drafts.append(Draft(group_id=href, href=href, body=body, index=index, base=None, search=search))
            tx.put_many(shelf.row.id, drafts, now=now)

    def index(self) -> None:
        reindex(self.chance.choice(self.stores), now=self.household.clock)

    def wait(self) -> None:
        """Until the years that are indexed run out, now and then."""
        self.household.clock.advance(timedelta(days=self.chance.choice([1, 100, 1000])))

    def color(self) -> None:
        """What changes no item: no client may hear of a change."""
        color = f"<ical:calendar-color>#00000{self.chance.randrange(9)}</ical:calendar-color>"
        asked = xml("d:propertyupdate", f"<d:set><d:prop>{color}</d:prop></d:set>")
        assert self.client().ask("PROPPATCH", self.chance.choice(self.shelves).url, asked).status == 207

    def _href(self, shelf: Shelf) -> str:
        return f"{self.chance.randrange(HREFS)}.{'vcf' if shelf.row.kind is Kind.CONTACTS else 'ics'}"

    def _body(self, shelf: Shelf, number: int | None) -> tuple[str, str]:
        """A body that the collection holds, and its component. ``number`` None: one without neighbours of its UID."""
        if shelf.row.kind is Kind.CONTACTS:
            body, component = self.chance.choice(CARDS), ""
        elif shelf.is_local and self.chance.random() < 0.3:
            body, component = self.chance.choice(TASKS), "VTODO"
        else:
            body, component = self.chance.choice(EVENTS), "VEVENT"
        uid = f"uid-{self.chance.randrange(10**9) if number is None else number}"
        return body.replace("UID:one", f"UID:{uid}"), component

    # --- what must hold

    def check(self) -> None:
        for shelf in self.shelves:
            with self.chance.choice(self.stores).read() as reader:
                bodies = {href: (etag, body) for href, etag, body in reader.bodies(shelf.row.id)}
            etags = {href: etag for href, (etag, _) in bodies.items()}
            self._check_ctag(shelf, etags)
            self._check_followers(shelf, etags)
            texts = {href: body for href, (_, body) in bodies.items()}
            if shelf.row.kind is Kind.CONTACTS:
                self._check_cards(shelf, texts)
            else:
                self._check_calendar(shelf, texts)
                self._check_busy(shelf, texts)

    def _check_ctag(self, shelf: Shelf, etags: Mapping[str, str]) -> None:
        answer = self.client().ask("PROPFIND", shelf.url, propfind("cs:getctag"), Depth="0")
        ctag = answer.resources[shelf.url].text("cs:getctag") or ""
        if shelf.ctag:
            assert (ctag == shelf.ctag) == (etags == shelf.etags), shelf.url
        shelf.ctag, shelf.etags = ctag, etags

    def _check_followers(self, shelf: Shelf, etags: Mapping[str, str]) -> None:
        expected = {shelf.url + href: etag for href, etag in etags.items()}
        for follower in shelf.followers:
            follower.client = self.client()
            match self.chance.randrange(4):
                case 0:
                    follower.follow(limit=1)  # stays behind
                case 1:
                    follower.catch_up(limit=self.chance.choice([None, 1, 2]))
                    assert expected == follower.mirror
                case 2:
                    fresh = Follower(self.client(), shelf.url)
                    fresh.catch_up(limit=self.chance.choice([None, 1, 2, 3]))
                    assert expected == fresh.mirror

    def _check_cards(self, shelf: Shelf, bodies: Mapping[str, str]) -> None:
        content, test = self.chance.choice(CARD_CONTENTS), self.chance.choice(["anyof", "allof"])
        asked = card_filter(content, test=test)
        query = xml(
            "cr:addressbook-query", f'<d:prop><d:getetag/></d:prop><cr:filter test="{test}">{content}</cr:filter>'
        )
        expected = {shelf.url + href for href, body in bodies.items() if matches(asked, body, zone=UTC)}

        assert expected == set(self.client().ask("REPORT", shelf.url, query).resources), content

    def _check_calendar(self, shelf: Shelf, bodies: Mapping[str, str]) -> None:
        for component in COMPONENTS:
            content = self.chance.choice([*CONTENTS, self._range(), self._range()])
            asked = calendar_filter(component, content)
            inner = f'<c:comp-filter name="{component}">{content}</c:comp-filter>'
            outer = f'<c:filter><c:comp-filter name="VCALENDAR">{inner}</c:comp-filter></c:filter>'
            wanted = self.chance.choice(["<d:getetag/>", "<d:getetag/><c:calendar-data/>"])
            query = xml("c:calendar-query", f"<d:prop>{wanted}</d:prop>{outer}")
            expected = {shelf.url + href for href, body in bodies.items() if matches(asked, body, zone=shelf.zone)}

            assert expected == set(self.client().ask("REPORT", shelf.url, query).resources), content

    def _check_busy(self, shelf: Shelf, bodies: Mapping[str, str]) -> None:
        starts_at, ends_at = self._bounds()
        query = xml("c:free-busy-query", f'<c:time-range start="{_utc(starts_at)}" end="{_utc(ends_at)}"/>')
        periods = []
        for body in bodies.values():
            try:
                found = occurrences(body, starts_at, ends_at, zone=shelf.zone)
            except Unmappable:
                continue
            periods += [(one.starts_at, one.ends_at, free_busy_type(one.component)) for one in found]
        told = [period for period in periods if period[1] - period[0] > NO_TIME]
        expected = free_busy(told, starts_at, ends_at, stamp=self.household.clock())

        assert expected.encode() == self.client().ask("REPORT", shelf.url, query).body

    def _range(self) -> str:
        starts_at, ends_at = self._bounds()
        return f'<c:time-range start="{_utc(starts_at)}" end="{_utc(ends_at)}"/>'

    def _bounds(self) -> tuple[int, int]:
        """Of some hours or days, mostly about the events of the corpus; sometimes years from there."""
        start = START + timedelta(hours=self.chance.randrange(-50, 200))
        start += timedelta(days=self.chance.choice([0, 0, 0, 0, 2000, -3000]))
        end = start + timedelta(hours=self.chance.choice([1, 24, 24 * 9]))
        return int(start.timestamp()), int(end.timestamp())


def _utc(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"


@pytest.fixture
def stores(url: str) -> Iterator[tuple[Store, Store]]:
    with closing(open_store(url)) as one, closing(open_store(url)) as other:
        yield one, other


@pytest.fixture
def few_seeds(seeds: range) -> range:
    return seeds[: max(1, int(len(seeds) * HISTORIES))]


def test_every_client_knows_at_every_moment_what_is_there(stores: tuple[Store, Store], few_seeds: range) -> None:
    for seed in few_seeds:
        try:
            history = History(seed, stores)
            for _ in range(STEPS):
                history.step()
        except BaseException as error:
            error.add_note(f"seed {seed}: repeat with `pytest {__file__} --seed {seed}`")
            raise
