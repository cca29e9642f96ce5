"""A household in which every kind of place exists: of clouds (read only) and local (writable), for both people.

The places are those that ``recorded/README.md`` lists, by their names there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ccdaemon.dav.revisions import sync_token
from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Collection, Kind, ProviderName, Purpose, RemoteCollection
from ccdaemon.store.base import Store
from tests.unit.dav.household import START, Household, Member, card, event

NOWHERE = "gh0st"


def task(summary: str, uid: str) -> tuple[str, BodyIndex]:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ccdaemon//test//EN",
        "BEGIN:VTODO",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        "DUE;VALUE=DATE:20260312",
        "STATUS:NEEDS-ACTION",
        f"SUMMARY:{summary}",
        "END:VTODO",
        "END:VCALENDAR",
    ]
    body = "".join(f"{line}\r\n" for line in lines)
    return body, BodyIndex(
        uid=uid, component="VTODO", name=summary, starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False
    )


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """One collection with what is to be known of it."""

    row: Collection  # as it is now
    url: str
    old_token: str  # before its last changes


@dataclass(frozen=True, kw_only=True)
class Estate:
    """What one person has."""

    member: Member
    shelves: Mapping[str, Shelf]  # by "book", "calendar", "tasks", "local-book", "local-calendar"

    def url(self, place: str) -> str:
        """Of a folder, a collection or an item."""
        if place in ("root", "home"):
            return "/" if place == "root" else self.member.home
        if place in self.shelves:
            return self.shelves[place].url
        local = "local-" if place.startswith("local-") else ""
        shelf, href = ITEMS[place.removeprefix("local-")]
        return self.shelves[local + shelf].url + href

    def names(self, place: str) -> Mapping[str, str]:
        """What stands in the braces of a request that is made at ``place``: there, or in the collection of it."""
        local = "local-" if place.startswith("local-") and f"local-{SHELF_OF.get(place, '')}" in self.shelves else ""
        shelf = self.shelves.get(local + SHELF_OF.get(place, "calendar"), self.shelves["calendar"])
        folders = {name: self.url(name) for name in ("root", "home", "tasks", "task")}
        collections = {name: self.url(local + name) for name in ("book", "calendar")}
        items = {name: self.url(local + name) for name in ("card", "card-2", "event", "event-2", "event-gone")}
        known = {"token": shelf.old_token, "event-uid": "event-0", "card-uid": "card-0", "event-etag": "*"}
        return folders | collections | items | known


ITEMS = {
    "card": ("book", "000000.vcf"),
    "card-2": ("book", "000001.vcf"),
    "event": ("calendar", "000000.ics"),
    "event-2": ("calendar", "000001.ics"),
    "event-gone": ("calendar", "000002.ics"),
    "task": ("tasks", "000000.ics"),
    "nothing": ("calendar", f"{NOWHERE}.ics"),
}
SHELF_OF = {
    "book": "book",
    "card": "book",
    "calendar": "calendar",
    "event": "calendar",
    "tasks": "tasks",
    "task": "tasks",
    "local-book": "book",
    "local-card": "book",
    "local-calendar": "calendar",
    "local-event": "calendar",
}


def furnish(household: Household, name: str, *, series: bool = True) -> Estate:
    """Give a member of the household everything, and change each collection after its first token."""
    member = household.members[name]
    rows = {"book": member.contacts, "calendar": member.calendar} | _added(household, member)
    makers: Mapping[str, Callable[[int], tuple[str, BodyIndex]]] = {
        "book": lambda n: card(f"Person {n} of {name}", f"card-{n}"),
        "calendar": lambda n: event(
            f"Day {n} of {name}",
            f"event-{n}",
            START + timedelta(days=n),
            rule="FREQ=DAILY" if series and n == 1 else None,
        ),
        "tasks": lambda n: task(f"Task {n} of {name}", f"task-{n}"),
    }
    shelves = {}
    for place, row in rows.items():
        kind = place.removeprefix("local-")
        suffix = "vcf" if kind == "book" else "ics"
        for n in range(4):
            _put(household, row, f"{n:06d}.{suffix}", *makers[kind](n))
        old = sync_token(_now(household.store, row))
        household.remove(row, f"000002.{suffix}")
        _put(household, row, f"000004.{suffix}", *makers[kind](4))
        _pulled(household, row)
        shelves[place] = Shelf(row=_now(household.store, row), url=f"/{name}/{row.href}/", old_token=old)
    return Estate(member=member, shelves=shelves)


def _added(household: Household, member: Member) -> dict[str, Collection]:
    now = household.clock()
    with household.store.write() as transaction:
        person = transaction.person(member.name)
        assert person is not None
        [tasks] = transaction.save_collections(
            member.calendar.account_id,
            Kind.TASKS,
            [RemoteCollection(remote_id="list", kind=Kind.TASKS, name=f"To do of {member.name}")],
            now=now,
        )
        transaction.add_account(
            person_id=person.id,
            provider=ProviderName.LOCAL,
            subject=f"local-of-{member.name}",
            ref=f"local-{member.name}",
            label=f"{member.name} here",
            address="",
            purposes=[Purpose.CONTACTS, Purpose.CALENDAR, Purpose.TASKS],
            writable=True,
            now=now,
        )
        local = {
            place: transaction.add_local_collection(
                person.id,
                kind,
                href=f"{place}-of-{member.name}",
                name=f"{place} of {member.name}",
                description="",
                now=now,
            )
            for place, kind in (("local-book", Kind.CONTACTS), ("local-calendar", Kind.EVENTS))
        }
    return {"tasks": tasks} | local


def _put(household: Household, row: Collection, href: str, body: str, index: BodyIndex) -> None:
    with household.store.write() as transaction:
        transaction.put(
            row.id, group_id=f"group-{href}", href=href, body=body, index=index, base=None, now=household.clock()
        )


def _pulled(household: Household, row: Collection) -> None:
    if row.provider is not ProviderName.LOCAL:
        now = household.clock()
        with household.store.write() as transaction:
            transaction.finish_pull(row.id, error=None, next_pull_at=now + timedelta(minutes=15), now=now)


def _now(store: Store, row: Collection) -> Collection:
    with store.read() as reader:
        found = reader.collection_by_href(row.person_id, row.href)
    assert found is not None
    return found
