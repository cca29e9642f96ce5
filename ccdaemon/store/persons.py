"""Table ``persons``."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from ccdaemon.errors import BadData, NotPermitted, UnknownName
from ccdaemon.model import Person
from ccdaemon.store.bound import Bound
from ccdaemon.store.schema import accounts, persons

ALL = select(persons.c.id, persons.c.name, persons.c.created_at).order_by(persons.c.id)
BY_ID = ALL.where(persons.c.id == bindparam("id"))
BY_NAME = ALL.where(persons.c.name == bindparam("name"))
OWNS = select(accounts.c.id).where(accounts.c.person_id == bindparam("id")).limit(1)
ADD = insert(persons).returning(persons.c.id)
REMOVE = delete(persons).where(persons.c.id == bindparam("id"))


class PersonsReader(Bound):
    """Persons by name and id."""

    def persons(self) -> Sequence[Person]:
        """Everybody."""
        return [Person(**row) for row in self.connection.execute(ALL).mappings()]

    def person(self, name: str) -> Person | None:
        """By the name of the path segment, exactly."""
        row = self.connection.execute(BY_NAME, {"name": name}).mappings().first()
        return None if row is None else Person(**row)

    def person_by_id(self, person_id: int) -> Person | None:
        """By our number."""
        row = self.connection.execute(BY_ID, {"id": person_id}).mappings().first()
        return None if row is None else Person(**row)


class PersonsWriter(PersonsReader):
    """Adding and removing persons."""

    def add_person(self, name: str, now: datetime) -> Person:
        """Raises BadData when the name is taken."""
        if self.person(name) is not None:
            raise BadData(f"there is already a person {name}")
        person_id = self.connection.execute(ADD, {"name": name, "created_at": now}).scalar_one()
        return Person(id=person_id, name=name, created_at=now)

    def remove_person(self, person_id: int) -> None:
        """With all devices. Raises NotPermitted while the person owns accounts, UnknownName when there is none."""
        if self.connection.execute(OWNS, {"id": person_id}).first() is not None:
            raise NotPermitted(f"person {person_id} still owns accounts: remove those first")
        if self.connection.execute(REMOVE, {"id": person_id}).rowcount == 0:
            raise UnknownName(f"there is no person {person_id}")
