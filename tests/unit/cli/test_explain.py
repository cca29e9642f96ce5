"""``ccdaemon explain`` and ``quarantine list`` on a store with one contact that is published and one that cannot be."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ccdaemon.cli import cli
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import Base, Kind, Original, Part, ProviderName, Purpose, RemoteCollection
from ccdaemon.store.engine import open_store

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PERSON = {
    "resourceName": "people/c123",
    "etag": "%e",
    "metadata": {"sources": [{"type": "CONTACT", "id": "7b"}]},
    "names": [{"displayName": "Ada Lovelace", "givenName": "Ada", "familyName": "Lovelace"}],
    "biographies": [{"value": "x" * 1000}],
    "holograms": [{"value": "what no version of ours knows"}],
}
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    config = tmp_path / "ccdaemon.toml"
    config.write_text('data_dir = "data"\n')

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(cli, ["--config", str(config), *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    run("init", "--person", "ada")
    return run


@pytest.fixture
def stored(run: Run, tmp_path: Path) -> dict[str, str]:
    """What one may call the contact that is published."""
    codec = CODECS[ProviderName.GOOGLE, Kind.CONTACTS]
    original = Original(remote_id="7b", group_id="7b", part=Part.OBJECT, etag="%e", version=1, payload=PERSON)
    body = codec.to_body([original])
    assert body is not None
    mark = codec.fingerprint(body)
    store = open_store(f"sqlite:///{tmp_path}/data/ccdaemon.db")
    with store.write() as tx:
        account = tx.add_account(
            person_id=tx.persons()[0].id, provider=ProviderName.GOOGLE, subject="s", ref="r", label="Ada's", address="",
            purposes=[Purpose.CONTACTS], writable=False, now=NOW,
        )  # fmt: skip
        listed = RemoteCollection(remote_id="c", kind=Kind.CONTACTS, name="Contacts")
        [book] = tx.save_collections(account.id, Kind.CONTACTS, [listed], now=NOW)
        poison = Original(remote_id="ff", group_id="ff", part=Part.OBJECT, etag="", version=1, payload={"x": 1})
        tx.observe(book.id, [original, poison])
        index = codec.index(body)
        base = Base(local=mark, remote=mark)
        tx.put(book.id, group_id="7b", href="h.vcf", body=body, index=index, base=base, now=NOW)
        tx.quarantine(book.id, "ff", "contact without an id", NOW)
    store.close()
    url = f"https://dav.example/ada/{book.href}/h.vcf"
    called = {"href": "h.vcf", "uid": index.uid, "id": "7b", "url": url, "path": f"{book.href}/h.vcf"}
    return called | {"resource name": "people/c123"}


@pytest.mark.parametrize("name", ["href", "uid", "id", "url", "path", "resource name"])
def test_an_item_is_found_by_whatever_a_person_calls_it(run: Run, stored: dict[str, str], name: str):
    [found] = json.loads(run("explain", stored[name], "--json").output)["items"]

    assert (found["href"], found["object"], found["collection"]) == ("h.vcf", "7b", "Contacts")
    assert found["originals"] == [{"id": "7b", "part": "object", "etag": "%e", "payload": PERSON}]
    assert found["body"].startswith("BEGIN:VCARD\r\n")
    assert found["not_in_body"] == {"7b": ["holograms[].value"]}
    assert (found["only_here"], found["quarantined"]) == ([], None)


def test_people_read_what_was_made_of_what(run: Run, stored: dict[str, str]):
    output = run("explain", "h.vcf").output

    assert "h.vcf in Contacts (google contacts, Ada's)" in output
    assert "not in the body, kept in 7b: holograms[].value" in output
    assert "FN:Ada Lovelace" in output
    assert "x… (1000 characters)" in output


def test_what_is_in_quarantine_is_listed_and_explained(run: Run, stored: dict[str, str]):
    [listed] = json.loads(run("quarantine", "list", "--json").output)["quarantined"]
    [found] = json.loads(run("explain", listed["object"], "--json").output)["items"]

    assert listed == {
        "account": "Ada's", "collection": "Contacts", "object": "ff",
        "reason": "contact without an id", "since": "2026-11-27T00:00:00Z",
    }  # fmt: skip
    assert found["quarantined"] == {"reason": "contact without an id", "since": "2026-11-27T00:00:00Z"}
    assert (found["body"], found["originals"][0]["payload"]) == (None, {"x": 1})
    assert "nothing of it is published" in run("explain", "ff").output


@pytest.mark.parametrize("name", ["nothing", "", "/", "https://dav.example/", "https://[", "h.vcf/other", "people/c9"])
def test_what_does_not_exist_is_said_in_one_line(run: Run, stored: dict[str, str], name: str):
    output = run("explain", name, code=65).output

    assert output == "ccdaemon: there is no such item; name its DAV URL, its UID, or its id at the provider\n"


def test_a_url_of_another_collection_is_not_this_one(run: Run, stored: dict[str, str]):
    run("explain", "https://dav.example/ada/elsewhere/h.vcf", code=65)


EVIL = "a\x1b]0;title\x07b\x9b31mc\x7f\u202ed\ne\u2028f"


def test_nothing_that_a_provider_sends_steers_the_terminal(run: Run, tmp_path: Path):
    store = open_store(f"sqlite:///{tmp_path}/data/ccdaemon.db")
    with store.write() as tx:
        account = tx.add_account(
            person_id=tx.persons()[0].id, provider=ProviderName.GOOGLE, subject="s", ref="r", label="l", address="",
            purposes=[Purpose.CALENDAR], writable=False, now=NOW,
        )  # fmt: skip
        listed = RemoteCollection(remote_id="c", kind=Kind.EVENTS, name=EVIL)
        [calendar] = tx.save_collections(account.id, Kind.EVENTS, [listed], now=NOW)
        payload = {"id": EVIL, "summary": EVIL}
        tx.observe(
            calendar.id,
            [Original(remote_id=EVIL, group_id=EVIL, part=Part.OBJECT, etag="", version=1, payload=payload)],
        )
        tx.quarantine(calendar.id, EVIL, "start: missing", NOW)
    store.close()

    shown = [
        run("status", code=1).output,
        run("status", "--json", code=1).output,
        run("quarantine", "list").output,
        run("quarantine", "list", "--json").output,
        run("explain", EVIL).output,
        run("explain", EVIL, "--json").output,
    ]

    assert [text for text in shown if "u202e" not in text] == []
    assert [text for text in shown if not text.replace("\n", "").isprintable()] == []
    assert [line for text in shown for line in text.split("\n") if line.startswith("e")] == []
    assert json.loads(shown[-1])["items"][0]["originals"][0]["payload"] == payload
