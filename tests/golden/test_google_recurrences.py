"""Every series among Google's golden payloads, expanded by the imitation of its Calendar API and from our body."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from ccdaemon.model import Json, Part
from ccdaemon.sandbox.calendar_recurrence import Series
from tests.golden.test_way_back import PULLED, codec, originals
from tests.unit.mapping import event_oracle

WINDOW = timedelta(days=800)


def payloads(case: Path) -> list[Json]:
    return [one.payload for one in originals(case) if one.part is Part.OBJECT]


def master_of(case: Path) -> Json | None:
    found = [one for one in payloads(case) if one.get("recurrence") and one.get("status") != "cancelled"]
    # A floating time has no instant, and dateutil is not asked about EXRULE.
    return found[0] if found and "ccdaemon-stash-1" not in str(found) and "EXRULE" not in str(found) else None


def zone_of(case: Path) -> str:
    return next((one.payload.get("timeZone", "UTC") for one in originals(case) if one.part is Part.SHARED), "UTC")


def instant(edge: Json) -> int:
    if "date" in edge:
        return int(datetime.combine(date.fromisoformat(edge["date"]), time(), UTC).timestamp())
    return int(datetime.fromisoformat(edge["dateTime"]).timestamp())


def provided(case: Path, master: Json) -> list[int]:
    """Starts of the occurrences as the provider would list them: exceptions where they are now."""
    series = Series.of(master, zone_of(case))
    begin = instant(master["start"])
    found: dict[str, int] = {}
    for moment in series.occurrences():
        at = instant(series.edge(moment))
        if at > begin + WINDOW.total_seconds():
            break
        found[series.suffix(moment)] = at
    for exception in payloads(case):
        if exception["id"] != master["id"]:
            suffix = exception["id"].rpartition("_")[2]
            found.pop(suffix, None)
            if exception["status"] != "cancelled":
                found[suffix] = instant(exception["start"])
    return sorted(found.values())


CASES = [case for case in PULLED if case.parts[0] == "calendar" and master_of(case)]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_body_of_a_series_occurs_when_the_provider_says(case):
    master = master_of(case)
    assert master is not None
    body = codec(case).to_body(originals(case))
    end = instant(master["start"]) + WINDOW.total_seconds()

    expected = provided(case, master)

    found = event_oracle.occurrences(body, until=datetime.fromtimestamp(end, UTC).replace(tzinfo=None) + timedelta(2))
    assert [start for start, _ in found if start <= end] == expected


def test_most_golden_series_are_among_them():
    assert len(CASES) > 25
