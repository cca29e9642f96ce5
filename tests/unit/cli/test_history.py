"""``history``, ``trash`` and ``undo`` as people and scripts see them: what is printed, refused and returned."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import cli
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import Base, Kind, Outcome, ProviderName, Purpose, RemoteCollection, Run
from ccdaemon.store.base import Draft
from ccdaemon.store.engine import SqlStore, open_store
from ccdaemon.sync.lease import LEASE, of_collection
from ccdaemon.sync.settle import item_href

Command = Callable[..., Result]

NOW = datetime.now(UTC)
CODEC = CODECS[ProviderName.GOOGLE, Kind.CONTACTS]


def card(group: str, name: str) -> str:
    return f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:uid-{group}\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n"


class House:
    """One account whose address book went through two pulls."""

    def __init__(self, store: SqlStore, run: Command) -> None:
        self.store, self.run = store, run
        with store.write() as tx:
            [person] = tx.persons()
            account = tx.add_account(
                person_id=person.id, provider=ProviderName.GOOGLE, subject="s", ref="r1", label="Home", address="",
                purposes=[Purpose.CONTACTS], writable=False, now=NOW,
            )  # fmt: skip
            listed = [RemoteCollection(remote_id="book", kind=Kind.CONTACTS, name="Book")]
            [book] = tx.save_collections(account.id, Kind.CONTACTS, listed, now=NOW)
            self.account, self.book = account.id, book.id
            self._put(tx, {"a": "Ada", "b": "Bob", "c": "Cyd"})
            self.first = self._note(tx, 0, added=3)
            self._put(tx, {"a": "Ada Lovelace", "d": "Dan"})
            tx.remove(self.book, self.href("b"), now=NOW)
            self.second = self._note(tx, 3, added=1, changed=1, removed=1)
            self.failed = self._note(tx, 6, outcome=Outcome.FAILED, error="unavailable", detail="no answer")

    def href(self, group: str) -> str:
        return item_href(Kind.CONTACTS, group)

    def _put(self, tx, names):
        drafts = []
        for group, name in names.items():
            body = card(group, name)
            agreed = Base(local=CODEC.fingerprint(body), remote=CODEC.fingerprint(body))
            index = CODEC.index(body)
            drafts.append(Draft(group_id=group, href=self.href(group), body=body, index=index, base=agreed))
        tx.put_many(self.book, drafts, now=NOW, keeps_earlier=True)

    def _note(self, tx, revision_from, *, outcome=Outcome.DONE, **fields) -> int:
        run = Run(
            account_id=self.account, collection_id=self.book, started_at=NOW - timedelta(seconds=2), finished_at=NOW,
            outcome=outcome, full=False, revision_from=revision_from, revision_to=tx.collection(self.book).revision,
            **fields,
        )  # fmt: skip
        return tx.add_run(run)

    def names(self) -> list[str]:
        with self.store.read() as tx:
            return sorted(item.index.name for item in tx.items(self.book))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    config = tmp_path / "ccdaemon.toml"
    config.write_text('data_dir = "data"\n')

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["--config", str(config), *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    run("init", "--person", "ada")
    store = open_store(f"sqlite:///{tmp_path / 'data' / 'ccdaemon.db'}")
    yield House(store, run)
    store.close()


def test_history_shows_what_was_done_newest_first_and_when_each_collection_was_last_pulled(house: House):
    lines = house.run("history").output.splitlines()

    assert [line.split()[0] for line in lines[1:4]] == ["3", "2", "1"]
    assert lines[1].endswith("2.0      failed (unavailable): no answer")
    assert lines[2].endswith("1 added, 1 changed, 1 removed")
    assert [line.split() for line in lines[5:]] == [
        ["ACCOUNT", "COLLECTION", "LAST", "PULLED"],
        ["Home", "Book", "never"],
    ]


def test_history_is_filtered_by_account_collection_failure_and_number(house: House):
    def runs(*arguments: str) -> list[int]:
        return [one["run"] for one in json.loads(house.run("history", *arguments, "--json").output)["runs"]]

    assert runs("Home") == runs("--collection", "Book") == [3, 2, 1]
    assert runs("--limit", "2") == runs("--collection", "Book", "--limit", "2") == [3, 2]
    assert runs("--failed") == runs("--failed", "--collection", "Book") == [3]


def test_history_for_scripts_has_every_field(house: House):
    document = json.loads(house.run("history", "--limit", "2", "--json").output)
    with house.store.read() as tx:
        href = tx.collections()[0].href

    assert document["version"] == 1
    assert document["runs"][1] == {
        "run": 2, "account": "r1", "collection": href, "name": "Book", "is_listing": False, "seconds": 2.0,
        "started_at": document["runs"][1]["started_at"], "finished_at": document["runs"][1]["finished_at"],
        "outcome": "done", "full": False, "added": 1, "changed": 1, "removed": 1, "held": 0, "quarantined": 0,
        "error": None, "detail": None, "undoes": None,
    }  # fmt: skip
    assert document["collections"] == [
        {"account": "r1", "collection": href, "name": "Book", "last_success_at": None, "changed_at": None}
    ]


def test_what_is_not_there_is_named_and_nothing_else_is_printed(house: House):
    for arguments, words in {
        ("history", "nobody"): "there is no account nobody",
        ("history", "--collection", "Nook"): "there is no collection Nook",
        ("undo", "99"): "there is no run 99",
        ("trash", "restore", "--run", "99"): "there is no run 99",
        ("trash", "restore", "nothing"): "there is no nothing in the trash",
        ("trash", "restore", "--all", "nobody"): "there is no account nobody",
        ("trash", "restore", "--run", "1"): "there is nothing to put back",
    }.items():
        output = house.run(*arguments, code=65).output
        assert output.startswith(f"ccdaemon: {words}"), output
        assert len(output.splitlines()) == 1
    for arguments in (("trash", "restore"), ("trash", "restore", "1", "--run", "2"), ("undo", "x")):
        house.run(*arguments, code=2)


def test_undo_takes_back_a_run_and_says_what_it_did_and_how_to_take_that_back(house: House):
    told = house.run("undo", "2", "--dry-run").output
    before = house.names()
    done = house.run("undo", "2").output

    assert before == ["Ada Lovelace", "Cyd", "Dan"]
    assert told == "1 items would be put back: Bob\n1 items would be changed back: Ada Lovelace\n" + (
        "1 items would be taken away: Dan\n"
    )
    assert done.endswith("this is run 4; `ccdaemon undo 4` takes it back\n")
    assert house.names() == ["Ada", "Bob", "Cyd"]
    assert "took back run 2; 1 added, 1 changed, 1 removed" in house.run("history").output


def test_undo_for_scripts_names_everything_and_what_was_left(house: House):
    document = json.loads(house.run("undo", "1", "--json").output)

    assert document == {
        "version": 1, "undoes": 1, "dry_run": False, "run": 4,
        "put_back": [], "change_back": [], "take_away": ["Cyd"],
        "left": {"changed_since": 2, "in_the_way": 0, "not_known": 0, "gone": 0},
    }  # fmt: skip


def test_the_trash_is_listed_and_each_way_of_naming_an_item_restores_it(house: House):
    [item] = json.loads(house.run("trash", "list", "Home", "--json").output)["trash"]
    assert (item["name"], item["uid"], item["href"], item["account"]) == ("Bob", "uid-b", house.href("b"), "r1")
    assert "Bob" in house.run("trash", "list").output

    for ways in (
        (str(item["item"]),), ("uid-b",), (house.href("b"),), (f"https://dav.example.org/ada/x/{house.href('b')}",),
        ("--run", "2"), ("--all", "Home"),
    ):  # fmt: skip
        output = house.run("trash", "restore", *ways).output
        assert output.startswith("1 items put back: Bob\n")
        assert "Bob" in house.names()
        with house.store.write() as tx:
            tx.remove(house.book, house.href("b"), now=NOW)
            house.second = house._note(tx, 3)
            tx.connection.exec_driver_sql("UPDATE runs SET revision_to = 99 WHERE id = 2")


def test_a_name_that_means_several_removed_items_is_refused_with_their_numbers(house: House):
    with house.store.write() as tx:
        tx.remove(house.book, house.href("a"), now=NOW)
        tx.connection.exec_driver_sql("UPDATE items SET uid = 'same' WHERE deleted")

    output = house.run("trash", "restore", "same", code=65).output

    assert "same means several removed items; name one by its number: " in output


def test_while_another_process_pulls_nothing_is_done_and_the_exit_code_says_later(house: House):
    with house.store.write() as tx:
        now = datetime.now(UTC)  # NOW may be long ago
        tx.take_lease(of_collection(house.book), "other", now=now, until=now + LEASE)

    for arguments in (("undo", "2"), ("trash", "restore", "--all", "Home")):
        assert "try again in a moment" in house.run(*arguments, code=75).output
    assert house.names() == ["Ada Lovelace", "Cyd", "Dan"]


def test_an_item_whose_uid_lives_elsewhere_is_left_and_the_exit_code_says_so(house: House):
    with house.store.write() as tx:
        tx.connection.exec_driver_sql("UPDATE items SET uid = 'uid-b' WHERE name = 'Cyd'")

    output = house.run("trash", "restore", "uid-b", code=1).output

    assert output.startswith("1 items not put back: another item has their UID")
