"""Two people with an account each, filled with a few items: what the DAV tests are about."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ccdaemon.model import TIME_MAX, TIME_MIN, BodyIndex, Collection, Kind, ProviderName, Purpose, RemoteCollection
from ccdaemon.store.base import Draft, Store

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday, nine o'clock."""


@dataclass
class Clock:
    """A clock that moves when told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


def card(name: str, uid: str) -> tuple[str, BodyIndex]:
    body = f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n"
    return body, BodyIndex(uid=uid, component="", name=name, starts_at=TIME_MIN, ends_at=TIME_MAX, recurring=False)


def event(summary: str, uid: str, starts_at: datetime, *, rule: str | None = None) -> tuple[str, BodyIndex]:
    """An event of one hour; with ``rule`` a series without end."""
    ends_at = starts_at + timedelta(hours=1)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ccdaemon//test//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20260101T000000Z",
        f"DTSTART:{starts_at:%Y%m%dT%H%M%SZ}",
        f"DTEND:{ends_at:%Y%m%dT%H%M%SZ}",
        *([f"RRULE:{rule}"] if rule else []),
        f"SUMMARY:{summary}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{line}\r\n" for line in lines), BodyIndex(
        uid=uid,
        component="VEVENT",
        name=summary,
        starts_at=int(starts_at.timestamp()),
        ends_at=TIME_MAX if rule else int(ends_at.timestamp()),
        recurring=rule is not None,
    )


@dataclass
class Member:
    """One person with what they own."""

    name: str
    password: str
    device_id: int
    contacts: Collection
    calendar: Collection

    @property
    def home(self) -> str:
        return f"/{self.name}/"

    @property
    def book_url(self) -> str:
        return f"/{self.name}/{self.contacts.href}/"

    @property
    def calendar_url(self) -> str:
        return f"/{self.name}/{self.calendar.href}/"


@dataclass
class Household:
    """The store, the clock and its people."""

    store: Store
    clock: Clock = field(default_factory=Clock)
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def anna(self) -> Member:
        return self.members["anna"]

    @property
    def ben(self) -> Member:
        return self.members["ben"]

    def add_member(self, name: str) -> Member:
        now = self.clock()
        password = secrets.token_urlsafe(24)
        with self.store.write() as transaction:
            person = transaction.add_person(name, now)
            device = transaction.add_device(person.id, "phone", sha256(password.encode()).digest(), now)
            account = transaction.add_account(
                person_id=person.id,
                provider=ProviderName.GOOGLE,
                subject=f"subject-of-{name}",
                ref=f"ref-{name}",
                label=f"{name}@example.org",
                address=f"{name}@example.org",
                purposes=[Purpose.CONTACTS, Purpose.CALENDAR],
                writable=False,
                now=now,
            )
            contacts, calendar = (
                transaction.save_collections(account.id, kind, [remote], now=now)[0]
                for kind, remote in (
                    (
                        Kind.CONTACTS,
                        RemoteCollection(remote_id="people", kind=Kind.CONTACTS, name="Contacts", description="All"),
                    ),
                    (
                        Kind.EVENTS,
                        RemoteCollection(
                            remote_id="primary",
                            kind=Kind.EVENTS,
                            name=f"Calendar of {name}",
                            description="Days & nights",
                            color="#9fe1e7",
                            time_zone="Europe/Zurich",
                        ),
                    ),
                )
            )
        member = Member(name=name, password=password, device_id=device.id, contacts=contacts, calendar=calendar)
        self.members[name] = member
        return member

    def put_cards(self, member: Member, count: int, *, first: int = 0) -> None:
        self._put(member.contacts, "vcf", count, lambda n: card(f"Person {n}", f"card-{n}"), first)

    def put_events(self, member: Member, count: int, *, first: int = 0) -> None:
        """One a day from START on."""
        self._put(
            member.calendar, "ics", count, lambda n: event(f"Day {n}", f"event-{n}", START + timedelta(days=n)), first
        )

    def put_event(self, member: Member, href: str, body: str, index: BodyIndex) -> None:
        with self.store.write() as transaction:
            transaction.put(
                member.calendar.id,
                group_id=href,
                href=href,
                body=body,
                index=index,
                base=None,
                now=self.clock(),
            )

    def remove(self, collection: Collection, href: str) -> None:
        with self.store.write() as transaction:
            transaction.remove(collection.id, href, now=self.clock())

    def _put(
        self, collection: Collection, suffix: str, count: int, make: Callable[[int], tuple[str, BodyIndex]], first: int
    ) -> None:
        drafts = []
        for n in range(first, first + count):
            body, index = make(n)
            drafts.append(Draft(group_id=f"group-{n}", href=f"{n:06d}.{suffix}", body=body, index=index, base=None))
        with self.store.write() as transaction:
            transaction.put_many(collection.id, drafts, now=self.clock())
