"""Persons and devices."""

from hashlib import sha256

import pytest

from ccdaemon.errors import BadData, NotPermitted, UnknownName
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import MINUTE, NOW, Scene, add_account

HASH = sha256(b"secret").digest()


def test_a_person_is_found_by_name_and_by_id(store: SqlStore) -> None:
    with store.write() as tx:
        ada, bob = tx.add_person("ada", NOW), tx.add_person("bob", NOW)

    with store.read() as reader:
        assert (reader.person("ada"), reader.person_by_id(bob.id)) == (ada, bob)
        assert list(reader.persons()) == [ada, bob]


def test_nobody_is_found_under_another_case_of_the_name(store: SqlStore) -> None:
    with store.write() as tx:
        tx.add_person("ada", NOW)

        assert (tx.person("Ada"), tx.person("ad"), tx.person_by_id(99)) == (None, None, None)


def test_a_name_is_given_to_one_person_only(store: SqlStore) -> None:
    with store.write() as tx:
        tx.add_person("ada", NOW)

        with pytest.raises(BadData):
            tx.add_person("ada", NOW)


def test_a_refused_name_leaves_the_transaction_usable(store: SqlStore) -> None:
    with store.write() as tx:
        tx.add_person("ada", NOW)
        with pytest.raises(BadData):
            tx.add_person("ada", NOW)
        tx.add_person("bob", NOW)

    with store.read() as reader:
        assert [person.name for person in reader.persons()] == ["ada", "bob"]


def test_a_person_who_owns_accounts_is_not_removed(store: SqlStore) -> None:
    with store.write() as tx:
        ada = tx.add_person("ada", NOW)
        add_account(tx, ada, "ada")

        with pytest.raises(NotPermitted):
            tx.remove_person(ada.id)


def test_a_removed_person_takes_the_devices_along(store: SqlStore) -> None:
    with store.write() as tx:
        ada = tx.add_person("ada", NOW)
        tx.add_device(ada.id, "phone", HASH, NOW)
        tx.remove_person(ada.id)

        assert (list(tx.persons()), list(tx.devices())) == ([], [])


def test_removing_somebody_unknown_says_so(store: SqlStore) -> None:
    with store.write() as tx, pytest.raises(UnknownName):
        tx.remove_person(99)


def test_the_id_of_a_removed_person_is_not_given_again(store: SqlStore) -> None:
    with store.write() as tx:
        first = tx.add_person("ada", NOW)
        tx.remove_person(first.id)

        assert tx.add_person("ada", NOW).id > first.id


def test_a_device_is_found_by_the_hash_of_its_password(store: SqlStore) -> None:
    with store.write() as tx:
        ada = tx.add_person("ada", NOW)
        phone = tx.add_device(ada.id, "phone", HASH, NOW)

    with store.read() as reader:
        assert reader.device_by_secret_hash(HASH) == phone
        assert reader.device_by_secret_hash(sha256(b"other").digest()) is None


def test_two_persons_may_name_their_devices_alike_but_one_may_not(store: SqlStore) -> None:
    with store.write() as tx:
        ada, bob = tx.add_person("ada", NOW), tx.add_person("bob", NOW)
        phone = tx.add_device(ada.id, "phone", HASH, NOW)
        other = tx.add_device(bob.id, "phone", sha256(b"other").digest(), NOW)

        with pytest.raises(BadData):
            tx.add_device(ada.id, "phone", sha256(b"third").digest(), NOW)
        assert (list(tx.devices()), list(tx.devices(bob.id))) == ([phone, other], [other])


def test_a_password_that_is_not_hashed_is_refused(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx, pytest.raises(BadData):
        tx.add_device(scene.person.id, "phone", b"secret", NOW)


def test_a_device_of_nobody_is_refused(store: SqlStore) -> None:
    with store.write() as tx, pytest.raises(UnknownName):
        tx.add_device(99, "phone", HASH, NOW)


def test_a_revoked_device_signs_in_no_more(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        phone = tx.add_device(scene.person.id, "phone", HASH, NOW)
        tx.remove_device(phone.id)

        assert tx.device_by_secret_hash(HASH) is None
        with pytest.raises(UnknownName):
            tx.remove_device(phone.id)


def test_a_device_remembers_when_it_was_last_used(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        phone = tx.add_device(scene.person.id, "phone", HASH, NOW)
        tx.touch_device(phone.id, NOW + MINUTE)
        tx.touch_device(99, NOW)

        [found] = tx.devices(scene.person.id)
        assert (phone.last_used_at, found.last_used_at) == (None, NOW + MINUTE)
