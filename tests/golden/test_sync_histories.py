"""Every folder under sync/: history.json, what happens at a cloud and at us in order, and what must be published.

The cloud is the sandbox, the engine and the store are the real ones. A step is one of

    {"create": NAME, "patch": {…}}   {"update": NAME, "patch": {…}}   {"delete": NAME}   at the cloud; NAME is ours
    {"control": "POST switches", "order": {…}}                                           anything of the control plane
    {"pull": "done"} or {"pull": "failed"}, with "full": true for a listing              and how the Run must end
    {"published": [TITLE, …]}   the titles that begin with "trap", sorted
    {"unchanged": true}         no item changed since the last such step

of the ``kind`` and ``provider`` that the history names.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import stamina

from ccdaemon.mapping.codecs import CODECS
from ccdaemon.model import Collection, Kind, ProviderName, Purpose
from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.store.base import Store
from ccdaemon.store.engine import open_store
from ccdaemon.sync.worker import Worker
from tests.contract.remotes.clouds import Clouds, Tokens
from tests.sandbox.gate import Gate

HERE = Path(__file__).parent
CASES = sorted(path.parent.relative_to(HERE) for path in HERE.glob("sync/*/history.json"))
KINDS = {Kind.CONTACTS: "contact", Kind.EVENTS: "event", Kind.TASKS: "task"}
PURPOSES = {Kind.CONTACTS: Purpose.CONTACTS, Kind.EVENTS: Purpose.CALENDAR, Kind.TASKS: Purpose.TASKS}


@pytest.fixture
def clouds() -> Iterator[Clouds]:
    gate = Gate()
    settings = Settings(listen="127.0.0.1:0", contacts=3, events=3)
    with Sandbox(settings, observer=gate) as sandbox, stamina.set_testing(True, attempts=3, cap=True):
        yield Clouds(sandbox.start())
    gate.close()


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    store = open_store(sqlite_url)
    yield store
    store.close()


class Teller:
    """One history as it goes on."""

    def __init__(self, clouds: Clouds, store: Store, provider: ProviderName, kind: Kind) -> None:
        self.clouds, self.store, self.provider, self.kind = clouds, store, provider, kind
        self.ids: dict[str, str] = {}
        self.seen: dict[str, tuple[str, int]] = {}
        oauth = clouds.oauth(provider)
        tokens = Tokens(oauth, clouds.enrol(provider, purposes=list(Purpose)[:3]), PURPOSES[kind])
        now = datetime.now(UTC)
        with store.write() as tx:
            person = tx.add_person("ada", now)
            account = tx.add_account(
                person_id=person.id, provider=provider, subject="s", ref="r", label="l", address="",
                purposes=[PURPOSES[kind]], writable=False, now=now,
            )  # fmt: skip
        self.worker = Worker(
            store=store,
            remote=lambda _account, wanted: clouds.provider(provider).remote(wanted, tokens),
            kinds=lambda _account: (kind,),
            codec=lambda name, wanted: CODECS[name, wanted],
            interval=timedelta(minutes=15),
            now=partial(datetime.now, UTC),
            owner="golden",
        )
        assert not self.worker.list_collections(account)
        self.collection = self._collection()

    def _collection(self) -> Collection:
        with self.store.read() as tx:
            return next(one for one in tx.collections() if one.is_primary)

    def tell(self, step: dict[str, Any]) -> None:
        action = next(iter(step))
        getattr(self, action)(step)

    def _mutate(self, action: str, step: dict[str, Any], **more: Any) -> Any:
        order = {"person": "ada", "provider": self.provider, "kind": KINDS[self.kind], "action": action}
        if self.kind is not Kind.CONTACTS:
            order["collection"] = self.collection.remote_id
        if "patch" in step:
            order["patch"] = step["patch"]
        return self.clouds.control("POST mutate", {**order, **more})

    def create(self, step: dict[str, Any]) -> None:
        made = self._mutate("create", step)
        self.ids[step["create"]] = made.get("resourceName") or made["id"]

    def update(self, step: dict[str, Any]) -> None:
        self._mutate("update", step, id=self.ids[step["update"]])

    def delete(self, step: dict[str, Any]) -> None:
        self._mutate("delete", step, id=self.ids[step["delete"]])

    def control(self, step: dict[str, Any]) -> None:
        self.clouds.control(step["control"], step.get("order"))

    def pull(self, step: dict[str, Any]) -> None:
        run = self.worker.pull(self.collection.id, full=step.get("full", False))
        assert run is not None
        assert (run.outcome, run.detail if step["pull"] == "done" else None) == (step["pull"], None)

    def published(self, step: dict[str, Any]) -> None:
        with self.store.read() as tx:
            names = sorted(item.index.name for item in tx.items(self.collection.id))
        assert [name for name in names if name.startswith("trap")] == step["published"]

    def unchanged(self, _step: dict[str, Any]) -> None:
        with self.store.read() as tx:
            now = {item.href: (item.etag, item.revision) for item in tx.items(self.collection.id)}
        if self.seen:
            assert now == self.seen
        self.seen = now


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_history_ends_as_it_must(case: Path, clouds: Clouds, store: Store):
    history = json.loads((HERE / case / "history.json").read_text("utf-8"))
    teller = Teller(clouds, store, ProviderName(history["provider"]), Kind(history["kind"]))

    for step in history["steps"]:
        teller.tell(step)


def test_there_are_histories_for_every_trap_of_the_engine():
    assert {case.name.rpartition("-")[2] for case in CASES} >= {"54", "55", "56"}
