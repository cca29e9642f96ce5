"""Table ``devices``."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from ccdaemon.errors import BadData, UnknownName
from ccdaemon.model import Device
from ccdaemon.store.bound import Bound
from ccdaemon.store.schema import devices, persons

SECRET_HASH_BYTES = 32  # SHA-256

ALL = select(devices.c.id, devices.c.person_id, devices.c.name, devices.c.created_at, devices.c.last_used_at).order_by(
    devices.c.id
)
OF_PERSON = ALL.where(devices.c.person_id == bindparam("person_id"))
BY_NAME = OF_PERSON.where(devices.c.name == bindparam("name"))
BY_SECRET_HASH = ALL.where(devices.c.secret_hash == bindparam("secret_hash"))
OWNER = select(persons.c.id).where(persons.c.id == bindparam("person_id"))
ADD = insert(devices).returning(devices.c.id)
REMOVE = delete(devices).where(devices.c.id == bindparam("id"))
TOUCH = update(devices).where(devices.c.id == bindparam("device_id")).values(last_used_at=bindparam("now"))


class DevicesReader(Bound):
    """Devices of persons, and whom a password belongs to."""

    def devices(self, person_id: int | None = None) -> Sequence[Device]:
        """Of one person, or of everybody."""
        if person_id is None:
            rows = self.connection.execute(ALL)
        else:
            rows = self.connection.execute(OF_PERSON, {"person_id": person_id})
        return [Device(**row) for row in rows.mappings()]

    def device_by_secret_hash(self, secret_hash: bytes) -> Device | None:
        """The device whose password hashes (SHA-256, 32 bytes) to this."""
        row = self.connection.execute(BY_SECRET_HASH, {"secret_hash": secret_hash}).mappings().first()
        return None if row is None else Device(**row)


class DevicesWriter(DevicesReader):
    """Adding, using and revoking devices."""

    def add_device(self, person_id: int, name: str, secret_hash: bytes, now: datetime) -> Device:
        """Raises BadData when the person has a device of that name, UnknownName when there is no such person."""
        if len(secret_hash) != SECRET_HASH_BYTES:
            raise BadData(f"device {name}: its secret is not hashed with SHA-256")
        if self.connection.execute(OWNER, {"person_id": person_id}).first() is None:
            raise UnknownName(f"there is no person {person_id}")
        if self.connection.execute(BY_NAME, {"person_id": person_id, "name": name}).first() is not None:
            raise BadData(f"person {person_id} already has a device {name}")
        row = {"person_id": person_id, "name": name, "secret_hash": secret_hash, "created_at": now}
        device_id = self.connection.execute(ADD, row).scalar_one()
        return Device(id=device_id, person_id=person_id, name=name, created_at=now, last_used_at=None)

    def remove_device(self, device_id: int) -> None:
        """Its password ends to work at once. Raises UnknownName when there is none."""
        if self.connection.execute(REMOVE, {"id": device_id}).rowcount == 0:
            raise UnknownName(f"there is no device {device_id}")

    def touch_device(self, device_id: int, now: datetime) -> None:
        """Remember that it signed in. Silent when it was revoked meanwhile."""
        self.connection.execute(TOUCH, {"device_id": device_id, "now": now})
