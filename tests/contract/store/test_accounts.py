"""Accounts, grants and access tokens."""

from dataclasses import replace

import pytest

from ccdaemon.errors import BadData, Stale, UnknownName
from ccdaemon.model import Kind, Outcome, ProviderName, Purpose, Run
from ccdaemon.store.engine import SqlStore
from tests.contract.store.scene import (
    MINUTE,
    NOW,
    Scene,
    add_account,
    draft,
    enrolled,
    original,
    save_grant,
)


def test_an_account_is_found_by_id_and_by_its_subject(store: SqlStore, scene: Scene) -> None:
    with store.read() as reader:
        assert reader.account(scene.account.id) == scene.account
        assert reader.account_by_subject(ProviderName.GOOGLE, scene.account.subject) == scene.account
        assert reader.account_by_subject(ProviderName.MICROSOFT, scene.account.subject) is None


def test_accounts_are_listed_of_one_person_and_of_all(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")

        assert list(tx.accounts()) == [scene.account, other.account]
        assert list(tx.accounts(other.person.id)) == [other.account]


@pytest.mark.parametrize("taken", ["subject", "ref", "label"])
def test_subject_ref_and_label_are_given_to_one_account_only(store: SqlStore, scene: Scene, taken: str) -> None:
    fresh = {"subject": "s", "ref": "r", "label": "l", taken: getattr(scene.account, taken)}

    with store.write() as tx, pytest.raises(BadData):
        tx.add_account(
            person_id=scene.person.id,
            provider=ProviderName.GOOGLE,
            address="a@example.org",
            purposes=[],
            writable=False,
            now=NOW,
            **fresh,
        )


def test_an_account_of_nobody_is_refused(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx, pytest.raises(UnknownName):
        add_account(tx, replace(scene.person, id=99), "x")


def test_what_an_update_does_not_name_stays(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        paused = tx.update_account(scene.account.id, paused=True)
        renamed = tx.update_account(scene.account.id, label="Work", purposes=[Purpose.TASKS], writable=True)

        assert paused == replace(scene.account, paused=True)
        assert renamed == replace(paused, label="Work", purposes=(Purpose.TASKS,), writable=True)
        assert tx.update_account(scene.account.id) == tx.account(scene.account.id) == renamed


def test_an_account_may_be_named_as_it_is_but_not_as_another(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")

        assert tx.update_account(scene.account.id, label=scene.account.label) == scene.account
        with pytest.raises(BadData):
            tx.update_account(scene.account.id, label=other.account.label)


def test_updating_or_removing_an_unknown_account_says_so(store: SqlStore) -> None:
    with store.write() as tx:
        with pytest.raises(UnknownName):
            tx.update_account(99, paused=True)
        with pytest.raises(UnknownName):
            tx.remove_account(99)


def test_a_removed_account_takes_everything_of_it_along_and_nothing_of_others(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        other = enrolled(tx, "bob")
        for each in (scene, other):
            tx.observe(each.book.id, [original("a")])
            tx.put_many(each.book.id, [draft("a")], now=NOW)
            tx.quarantine(each.book.id, "b", "reason", NOW)
            tx.save_access_token(each.account.id, "people", sealed=b"t", expires_at=NOW, generation=1)
            tx.add_run(
                Run(
                    account_id=each.account.id,
                    collection_id=each.book.id,
                    started_at=NOW,
                    finished_at=NOW,
                    outcome=Outcome.DONE,
                    full=True,
                )
            )
        tx.remove_account(scene.account.id)

    with store.read() as reader:
        assert reader.grant(scene.account.id) is None
        assert reader.sealed_access_token(scene.account.id, "people") is None
        assert [found.account_id for found in reader.collections()] == [other.account.id] * 2
        assert reader.item_of_group(scene.book.id, "a") is None
        assert list(reader.group(scene.book.id, "a")) == []
        assert [entry.collection_id for entry in reader.quarantined()] == [other.book.id]
        assert [run.account_id for run in reader.runs()] == [other.account.id]


# --- grants -------------------------------------------------------------------------------------------------------


def test_the_first_consent_has_generation_one(store: SqlStore, scene: Scene) -> None:
    with store.read() as reader:
        assert reader.grant(scene.account.id) == scene.grant
        assert (scene.grant.generation, scene.grant.failures, scene.grant.needs_consent) == (1, 0, False)
        assert reader.sealed_refresh_token(scene.account.id) == b"sealed"


def test_a_refresh_moves_the_generation_and_forgets_failures(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        failed = tx.fail_grant(scene.account.id, error="consent_needed", needs_consent=True, now=NOW)
        saved = save_grant(tx, scene.account.id, expected_generation=1, sealed=b"newer")

        assert (failed.failures, failed.needs_consent, failed.last_error) == (1, True, "consent_needed")
        assert (saved.generation, saved.failures, saved.needs_consent, saved.last_error) == (2, 0, False, None)
        assert tx.sealed_refresh_token(scene.account.id) == b"newer"


@pytest.mark.parametrize("expected", [0, 2])
def test_a_slow_refresh_does_not_overwrite_a_newer_grant(store: SqlStore, scene: Scene, expected: int) -> None:
    with store.write() as tx:
        with pytest.raises(Stale):
            save_grant(tx, scene.account.id, expected_generation=expected, sealed=b"slow")

        assert tx.sealed_refresh_token(scene.account.id) == b"sealed"


def test_a_refresh_begun_before_a_disconnect_stays_stale_after_the_next_consent(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.drop_grant(scene.account.id)
        with pytest.raises(Stale):
            save_grant(tx, scene.account.id, expected_generation=1, sealed=b"slow")
        again = save_grant(tx, scene.account.id, expected_generation=0, sealed=b"again")
        with pytest.raises(Stale):
            save_grant(tx, scene.account.id, expected_generation=1, sealed=b"slow")

        assert (again.generation, tx.sealed_refresh_token(scene.account.id)) == (2, b"again")


def test_a_failure_keeps_the_refresh_token_and_the_generation(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.fail_grant(scene.account.id, error="unavailable", needs_consent=False, now=NOW)
        failed = tx.fail_grant(scene.account.id, error="unavailable", needs_consent=False, now=NOW + MINUTE)

        assert (failed.failures, failed.generation, failed.updated_at) == (2, 1, NOW + MINUTE)
        assert tx.sealed_refresh_token(scene.account.id) == b"sealed"


def test_a_disconnect_drops_secrets_and_keeps_data(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.save_access_token(scene.account.id, "people", sealed=b"t", expires_at=NOW, generation=1)
        tx.put_many(scene.book.id, [draft("a")], now=NOW)
        tx.drop_grant(scene.account.id)
        tx.drop_grant(scene.account.id)

        assert tx.grant(scene.account.id) is None
        assert tx.sealed_refresh_token(scene.account.id) is None
        assert tx.sealed_access_token(scene.account.id, "people") is None
        assert tx.item_of_group(scene.book.id, "a") is not None


def test_a_grant_that_is_not_there_cannot_fail(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.drop_grant(scene.account.id)

        with pytest.raises(UnknownName):
            tx.fail_grant(scene.account.id, error="unavailable", needs_consent=False, now=NOW)


def test_an_unknown_account_has_no_grant_to_save_or_drop(store: SqlStore) -> None:
    with store.write() as tx:
        with pytest.raises(UnknownName):
            save_grant(tx, 99, expected_generation=0)
        with pytest.raises(UnknownName):
            tx.drop_grant(99)


def test_an_access_token_replaces_the_one_of_its_audience(store: SqlStore, scene: Scene) -> None:
    account = scene.account.id
    with store.write() as tx:
        tx.save_access_token(account, "people", sealed=b"1", expires_at=NOW, generation=1)
        tx.save_access_token(account, "calendar", sealed=b"2", expires_at=NOW + 2 * MINUTE, generation=1)
        tx.save_access_token(account, "people", sealed=b"3", expires_at=NOW + MINUTE, generation=1)

        assert tx.sealed_access_token(account, "people") == (b"3", NOW + MINUTE, 1)
        assert tx.sealed_access_token(account, "calendar") == (b"2", NOW + 2 * MINUTE, 1)
        grant = tx.grant(account)
        assert grant is not None
        assert grant.access_expires_at == NOW + 2 * MINUTE


def test_an_access_token_of_an_older_grant_is_not_kept(store: SqlStore, scene: Scene) -> None:
    account = scene.account.id
    with store.write() as tx:
        save_grant(tx, account, expected_generation=1)
        tx.save_access_token(account, "people", sealed=b"old", expires_at=NOW, generation=1)
        assert tx.sealed_access_token(account, "people") is None

        tx.drop_grant(account)
        tx.save_access_token(account, "people", sealed=b"late", expires_at=NOW, generation=2)
        assert tx.sealed_access_token(account, "people") is None


def test_scopes_and_expiry_come_back_as_they_were_given(store: SqlStore, scene: Scene) -> None:
    with store.write() as tx:
        tx.save_grant(
            scene.account.id,
            expected_generation=1,
            sealed_refresh_token=bytes(range(256)),
            scopes=["b", "a", "Kalender/é"],
            refresh_expires_at=NOW + MINUTE,
            now=NOW,
        )

    with store.read() as reader:
        grant = reader.grant(scene.account.id)
        assert grant is not None
        assert (grant.scopes, grant.refresh_expires_at) == (("b", "a", "Kalender/é"), NOW + MINUTE)
        assert reader.sealed_refresh_token(scene.account.id) == bytes(range(256))
        assert reader.collections(account_id=scene.account.id)[0].kind is Kind.CONTACTS
