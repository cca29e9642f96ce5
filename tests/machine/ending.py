"""The end of a history: faults stop, and within two cycles all is as the clouds have it (I10)."""

from collections.abc import Mapping
from itertools import product

from ccdaemon.model import Decision, Json, Kind
from ccdaemon.sync.settle import item_href
from tests.machine.cloud import LABELS, LOOKS, POISON, body_of, group_of
from tests.machine.history import GUARD_LOOKS_AGAIN, LEASE_RUNS_OUT, History
from tests.machine.mirror import Mirror

OUTCOMES = ("added", "changed", "removed", "quarantined", "held", "undoes")  # of a Run


def settle_down(history: History) -> None:
    """Faults stopped and clocks right: after two more cycles, and what the guard needs beyond them, everything is as
    the clouds have it, and the next one changes nothing."""
    history.now = history.latest
    history.pass_time(LEASE_RUNS_OUT)
    history.listed = list(history.books)
    history.process().list_collections(history.account)
    for mirror in history.mirrors.values():
        _cycle(history, mirror)
        _cycle(history, mirror)
        if _is_held(history, mirror):
            history.pass_time(GUARD_LOOKS_AGAIN)
            _cycle(history, mirror)
        if _is_held(history, mirror):
            history.say(mirror, Decision.APPROVED)
            _cycle(history, mirror)
        assert not _is_held(history, mirror)
        _compare(history, mirror)
        revision = mirror.revision
        _cycle(history, mirror)
        assert mirror.revision == revision, "the next pull was no no-op"
    _count_runs(history)


def _cycle(history: History, mirror: Mirror) -> None:
    mirror.pulls = 1
    history.began = history.elapsed
    history.process().pull(mirror.collection_id)
    history.follow()


def _is_held(history: History, mirror: Mirror) -> bool:
    with history.store.read() as tx:
        return any(row.decision is not Decision.REJECTED for row in tx.held(mirror.collection_id))


def _compare(history: History, mirror: Mirror) -> None:
    with history.store.read() as tx:
        published = mirror.bodies(tx)
        quarantined = {entry.group_id for entry in tx.quarantined(mirror.collection_id)}
        kept = {row.group_id for row in tx.held(mirror.collection_id)}  # a person said so
    book = mirror.book
    groups: dict[str, dict[str, Json]] = {}
    for key, (_at, payload) in book.living(book.head).items():
        groups.setdefault(group_of(key), {})[key] = payload
    poisoned = {group for group, objects in groups.items() if _is_poisoned(history, objects)}
    free = {item_href(Kind.CONTACTS, group) for group in poisoned | kept}
    looks = {
        item_href(Kind.CONTACTS, group): {place: body_of(*place, one) for place in product(LABELS, LOOKS)}
        for group, one in groups.items()
    }
    expected = {href: bodies[book.label, history.codec.look] for href, bodies in looks.items()}

    for href in (published.keys() | expected.keys()) - free:
        found, word = published.get(href), mirror.words.get(href)
        if word is not None and mirror.is_firm(href, word, looks.get(href, {}).values()):
            assert found == word.body, "what a person said did not hold"
            history.happened["a person's word held"] += found != expected.get(href)
        elif word is None or found != word.body:
            assert found == expected.get(href), mirror.objects(href)
    assert quarantined - kept == poisoned - kept
    assert quarantined <= groups.keys(), "nothing is left that could be published instead of what a person keeps"


def _is_poisoned(history: History, objects: Mapping[str, Json]) -> bool:
    return not history.codec.eats_poison and any(one["text"] == POISON for one in objects.values())


def _count_runs(history: History) -> None:
    """What became of it all, as Runs tell."""
    with history.store.read() as tx:
        runs = tx.runs(account_id=history.account.id)
    for run in runs:
        history.happened[f"run {run.outcome} {run.error or ''}".rstrip()] += 1
        history.happened.update(f"run {name}" for name in OUTCOMES if getattr(run, name))
        history.happened["full run"] += run.full and run.collection_id is not None
        history.happened["book ended"] += run.collection_id is None and "gone" in (run.detail or "")
        history.happened["run tells of an interrupted one"] += "interrupted" in (run.detail or "")
