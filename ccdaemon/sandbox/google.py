"""Google as a whole: everybody's models, the routes of People, Calendar, Tasks and Drive, the control plane's view."""

from datetime import date

from ccdaemon.sandbox.calendar import Calendars
from ccdaemon.sandbox.calendar_book import Agenda
from ccdaemon.sandbox.drive import Drive
from ccdaemon.sandbox.people import People
from ccdaemon.sandbox.people_book import Book
from ccdaemon.sandbox.population import populate_book
from ccdaemon.sandbox.population_events import populate_agenda
from ccdaemon.sandbox.population_tasks import populate_tasks
from ccdaemon.sandbox.switches import Switches
from ccdaemon.sandbox.tasks import Tasks
from ccdaemon.sandbox.tasks_book import TaskBook
from ccdaemon.sandbox.wire import Json, Routes
from ccdaemon.sandbox.world import World

PEOPLE_KINDS = frozenset({"contact", "group", "photo"})
CALENDAR_KINDS = frozenset({"event", "calendar"})
TASK_KINDS = frozenset({"task", "tasklist"})


class Google:
    """What the control plane may do with Google's data."""

    def __init__(self, people: People, calendars: Calendars, tasks: Tasks) -> None:
        self._people = people
        self._calendars = calendars
        self._tasks = tasks

    def truth(self, identity_id: str) -> Json:
        """``contacts``, ``groups``, ``calendars``, ``events`` by calendar id, ``taskLists``, ``tasks`` by list id."""
        seen = self._people.truth(identity_id) | self._calendars.truth(identity_id)
        return seen | self._tasks.truth(identity_id)

    def mutate(self, identity_id: str, order: Json) -> Json:
        """Change one object by ``kind`` and ``action``; the object afterwards. Raises KeyError or ValueError."""
        return self._of(order).mutate(identity_id, order)

    def load(self, identity_id: str, order: Json) -> Json:
        """Store payloads verbatim. Raises KeyError or ValueError."""
        return self._of(order).load(identity_id, order)

    def expire(self, what: str) -> None:
        """All ``sync_tokens``. Raises ValueError for anything else."""
        if what != "sync_tokens":
            raise ValueError(f"cannot expire {what!r}")
        self._people.sync_tokens.expire()
        self._calendars.expire_sync_tokens()

    def _of(self, order: Json) -> People | Calendars | Tasks:
        if order["kind"] in PEOPLE_KINDS:
            return self._people
        if order["kind"] in CALENDAR_KINDS:
            return self._calendars
        if order["kind"] in TASK_KINDS:
            return self._tasks
        raise ValueError(f"no kind {order['kind']!r} at Google")


def register(routes: Routes, world: World, switches: Switches) -> Google:
    """Populate the world's Google and offer its routes."""
    books, agendas, task_books = {}, {}, {}
    for person in world.identities.values():
        books[person.id] = Book(world.clock, world.chance("google", "book", person.id))
        populate_book(books[person.id], world.chance("google", "contacts", person.id), world.contacts)
        agendas[person.id] = Agenda(person.google_email, world.clock, world.chance("google", "agenda", person.id))
        populate_agenda(
            agendas[person.id],
            world.chance("google", "events", person.id),
            world.events,
            anchor=date(world.clock.now().year, 1, 1),
            birthdays=books[person.id],
        )
        task_books[person.id] = TaskBook(person.google_sub, world.clock, world.chance("google", "taskbook", person.id))
        populate_tasks(
            task_books[person.id],
            world.chance("google", "tasks", person.id),
            world.tasks,
            anchor=date(world.clock.now().year, 1, 1),
        )
    people = People(world, switches, books)
    calendars = Calendars(world, agendas)
    tasks = Tasks(world, task_books)
    people.register(routes)
    calendars.register(routes)
    tasks.register(routes)
    Drive(world).register(routes)
    return Google(people, calendars, tasks)
