"""Mapping: bodies per second, as ratios measured in the same run, for what a pull of the sandbox's population stored.

* ``json.loads`` of the same originals: what nobody can avoid;
* vobject building the same objects, property by property, and writing them: what one would use instead;
* the way back of unchanged bodies (``to_writes``), against the way there;
* processor time for all that a pull has to know of a group, step by step;
* one series with 1, 10, 100 and 1,000 changed occurrences: what each of them costs.

Rounds alternate, medians are printed. Nothing here is fetched while a clock runs.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import vobject
from ingest import installation, pull, sandbox

from ccdaemon import log
from ccdaemon.app import App
from ccdaemon.mapping import Codec
from ccdaemon.mapping.codecs import CODECS
from ccdaemon.mapping.indexing import search_index
from ccdaemon.model import CLOUDS, Json, Kind, Original, Part, ProviderName

NOW = datetime(2026, 11, 28, tzinfo=UTC)
Group = Sequence[Original]


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def groups_of(app: App, provider: ProviderName, kind: Kind) -> list[Group]:
    """Every group of an account with what it shares, as the engine hands it to the codec; without photos."""
    found: list[Group] = []
    with app.store.read() as tx:
        account = next(one for one in tx.accounts() if one.provider is provider)
        for collection in tx.collections(account_id=account.id):
            if collection.kind is not kind:
                continue
            shared = tx.shared(collection.id)
            stored = tx.groups(collection.id, tx.group_ids(collection.id))
            for group in stored.values():
                found.append([*shared, *(one for one in group if one.part is not Part.PHOTO)])
    return found


# --- the peer ---------------------------------------------------------------------------------------------------------


def copied(component: vobject.base.Component, new: vobject.base.Component) -> vobject.base.Component:
    """The same object built anew as a program would, from values; its zones vobject writes by itself."""
    for child in component.getChildren():
        if isinstance(child, vobject.base.ContentLine):
            line = new.add(child.name.lower())
            line.value = child.value
            line.group = child.group
            line.params = {name: list(values) for name, values in child.params.items()}
        elif child.name != "VTIMEZONE":
            copied(child, new.add(child.name.lower()))
    return new


def build_with_vobject(parsed: Sequence[vobject.base.Component], kind: Kind) -> None:
    empty = vobject.vCard if kind is Kind.CONTACTS else vobject.iCalendar
    for one in parsed:
        copied(one, empty()).serialize(validate=False)


# --- series -----------------------------------------------------------------------------------------------------------


def google_series(exceptions: int) -> list[Original]:
    def event(day: int, **more: object) -> Json:
        at = f"{date(2026, 1, 1) + timedelta(days=day)}T"
        return {
            "id": "series01",
            "status": "confirmed",
            "iCalUID": "series01@google.com",
            "updated": "2026-11-20T10:00:00.000Z",
            "summary": "Stand-up",
            "description": "What was done, what comes next.",
            "start": {"dateTime": f"{at}09:00:00+01:00", "timeZone": "Europe/Zurich"},
            "end": {"dateTime": f"{at}09:30:00+01:00", "timeZone": "Europe/Zurich"},
            "attendees": [{"email": f"p{n}@example.com", "responseStatus": "accepted"} for n in range(5)],
            **more,
        }

    payloads = [event(0, recurrence=["RRULE:FREQ=DAILY"])]
    for day in range(1, exceptions + 1):
        original = event(day)["start"]
        stamp = original["dateTime"].replace("-", "").replace(":", "")[:15]
        payloads.append(
            event(
                day, id=f"series01_{stamp}Z", recurringEventId="series01", originalStartTime=original, summary="Moved"
            )
        )
    return [
        Original(remote_id=one["id"], group_id="series01", part=Part.OBJECT, etag="", version=1, payload=one)
        for one in payloads
    ]


def graph_series(exceptions: int) -> list[Original]:
    def event(day: int, **more: object) -> Json:
        at = f"{date(2026, 1, 1) + timedelta(days=day)}T"
        return {
            "id": f"event{day}",
            "type": "exception",
            "seriesMasterId": "event0",
            "subject": "Stand-up",
            "lastModifiedDateTime": "2026-11-20T10:00:00Z",
            "body": {
                "contentType": "html",
                "content": "<html><body>What was done, what comes <b>next</b>.</body></html>",
            },
            "start": {"dateTime": f"{at}09:00:00.0000000", "timeZone": "W. Europe Standard Time"},
            "end": {"dateTime": f"{at}09:30:00.0000000", "timeZone": "W. Europe Standard Time"},
            "occurrenceId": f"OID.event0.{at[:-1]}",
            **more,
        }

    recurrence = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "noEnd", "startDate": "2026-01-01", "recurrenceTimeZone": "W. Europe Standard Time"},
    }
    master = event(0, type="seriesMaster", seriesMasterId=None, occurrenceId=None, recurrence=recurrence)
    master["exceptionOccurrences"] = [event(day) for day in range(1, exceptions + 1)]
    return [Original(remote_id="event0", group_id="event0", part=Part.OBJECT, etag="", version=1, payload=master)]


# --- the figures ------------------------------------------------------------------------------------------------------


def population(key: tuple[ProviderName, Kind], groups: Sequence[Group], rounds: int) -> None:
    codec = CODECS[key]
    published = [(group, body) for group in groups if (body := codec.to_body(group)) is not None]
    texts = [json.dumps([one.payload for one in group if one.part is not Part.SHARED]) for group, _ in published]
    parsed = [vobject.readOne(body) for _, body in published]
    half = published[: len(published) // 2]

    def there(pairs: Sequence[tuple[Group, str]]) -> None:
        for group, _ in pairs:
            codec.to_body(group)

    def back() -> None:
        for group, body in published:
            codec.to_writes(body, group)

    figures = [
        (
            seconds(lambda: there(published)),
            seconds(lambda: there(half)),
            seconds(lambda: [json.loads(text) for text in texts]),
            seconds(lambda: build_with_vobject(parsed, key[1])),
            seconds(back),
        )
        for _ in range(rounds)
    ]
    ours, ours_half, loads, peer, way_back = (statistics.median(column) for column in zip(*figures, strict=True))
    growth = (ours / len(published)) / (ours_half / len(half))
    print(
        f"{' '.join(key):<20}{len(published):>7}{len(published) / ours:>10.0f}{ours / loads:>12.1f}x"
        f"{peer / ours:>10.1f}x{growth:>12.2f}{way_back / ours:>12.1f}x"
    )


def stages(key: tuple[ProviderName, Kind], groups: Sequence[Group], rounds: int) -> None:
    """The body alone; with what the engine has to know of it; and with what queries look for: all that a pull maps."""
    codec = CODECS[key]

    def bodies() -> None:
        for group in groups:
            codec.to_body(group)

    def known() -> None:
        for group in groups:
            codec.mapped(group)

    def searched() -> None:
        for group in groups:
            if (one := codec.mapped(group)) is not None:
                search_index(one.body, one.index.component, now=NOW, known=one.outline)

    took = [min(processor_seconds(work) for _ in range(rounds)) for work in (bodies, known, searched)]
    print(f"{' '.join(key):<20}" + "".join(f"{seconds / len(groups) * 1e6:>16.0f}" for seconds in took))


def processor_seconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def mapped(codec: Codec, group: Group, times: int) -> None:
    for _ in range(times):
        codec.to_body(group)


def series(name: str, codec: Codec, made: Callable[[int], Group], rounds: int) -> None:
    sizes = (1, 10, 100, 1000)
    groups = {size: made(size) for size in sizes}
    costs = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, group in groups.items():
            repeats = max(200 // size, 1)
            costs[size].append(seconds(partial(mapped, codec, group, repeats)) / repeats / (size + 1))
    medians = [statistics.median(costs[size]) for size in sizes]
    columns = "".join(f"{cost * 1e6:>12.0f}" for cost in medians)
    print(f"{name:<20}{columns}{medians[-1] / medians[0]:>20.2f}")


def main() -> None:
    log.set_up()
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--items", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=5)
    options = arguments.parse_args()
    kinds = [(provider, kind) for kind in (Kind.CONTACTS, Kind.EVENTS) for provider in CLOUDS]
    with sandbox(options.items, options.items) as url, tempfile.TemporaryDirectory() as name:
        app = installation(Path(name), url)
        with app.store.read() as tx:
            accounts = tx.accounts()
        for account in accounts:
            assert not app.worker.list_collections(account)
        stored = {}
        for key in kinds:
            pull(app, *key)
            stored[key] = groups_of(app, *key)
        app.store.close()
    print(
        f"{'mapping':<20}{'bodies':>7}{'per s':>10}{'/ json.loads':>13}{'vobject /':>11}{'n / n÷2':>12}{'way back':>13}"
    )
    for key, groups in stored.items():
        population(key, groups, options.rounds)
    print(f"\n{'least µs per group':<20}{'body':>16}{'+ read of it':>16}{'+ for queries':>16}")
    for key, groups in stored.items():
        stages(key, groups, options.rounds)
    print(f"\n{'µs per occurrence':<20}{'1':>12}{'10':>12}{'100':>12}{'1000':>12}{'1000 / 1':>20}")
    series("google series", CODECS[ProviderName.GOOGLE, Kind.EVENTS], google_series, options.rounds)
    series("microsoft series", CODECS[ProviderName.MICROSOFT, Kind.EVENTS], graph_series, options.rounds)


if __name__ == "__main__":
    main()
