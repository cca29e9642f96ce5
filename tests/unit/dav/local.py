"""The collections that somebody keeps here only: the ones that DAV clients can write."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ccdaemon.model import Collection, Kind, Person, ProviderName, Purpose
from ccdaemon.store.base import Store, Transaction
from ccdaemon.store.engine import open_store
from tests.unit.dav.household import START, Household


@dataclass(frozen=True, kw_only=True)
class Local:
    """One of each kind, by their path segments."""

    person: str
    contacts: Collection
    calendar: Collection
    tasks: Collection

    @property
    def book_url(self) -> str:
        return f"/{self.person}/{self.contacts.href}/"

    @property
    def calendar_url(self) -> str:
        return f"/{self.person}/{self.calendar.href}/"

    @property
    def tasks_url(self) -> str:
        return f"/{self.person}/{self.tasks.href}/"


def add_local(store: Store, name: str) -> Local:
    """A new collection of each kind for the person, in their local account, which is added where there is none."""
    with store.write() as transaction:
        person = transaction.person(name)
        assert person is not None
        if not any(account.provider is ProviderName.LOCAL for account in transaction.accounts(person.id)):
            add_local_account(transaction, person)
        number = len([one for one in transaction.collections(person_id=person.id) if one.writable])
        suffix = f"-{number}" if number else ""
        book, calendar, tasks = (
            transaction.add_local_collection(
                person.id, kind, href=f"{name}-{kind}{suffix}", name=f"Own {kind}", description="", now=START
            )
            for kind in (Kind.CONTACTS, Kind.EVENTS, Kind.TASKS)
        )
    return Local(person=name, contacts=book, calendar=calendar, tasks=tasks)


@contextmanager
def two_people(folder: Path, *, are_devices_used: bool = True) -> Iterator[Household]:
    """The household of conftest.py, for all tests of a module: each takes new collections of its own.

    ``are_devices_used``: a moment ago, so that no use is noted beside the requests that a test looks at.
    """
    with closing(open_store(f"sqlite:///{folder}/ccdaemon.db", create=True)) as store:
        household = Household(store)
        for name in ("anna", "ben"):
            member = household.add_member(name)
            household.put_cards(member, 3)
            household.put_events(member, 3)
            if are_devices_used:
                with store.write() as transaction:
                    transaction.touch_device(member.device_id, household.clock())
        yield household


def add_local_account(transaction: Transaction, person: Person) -> None:
    transaction.add_account(
        person_id=person.id,
        provider=ProviderName.LOCAL,
        subject=f"local-{person.name}",
        ref=f"local-{person.name}",
        label=f"{person.name}, here",
        address="",
        purposes=[Purpose.CONTACTS, Purpose.CALENDAR, Purpose.TASKS],
        writable=True,
        now=START,
    )
