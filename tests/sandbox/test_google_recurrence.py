"""Expansion of event series against dateutil, an implementation by others."""

import itertools
import random
from datetime import UTC, date, datetime

import pytest
from dateutil.rrule import rrulestr

from ccdaemon.sandbox.calendar_recurrence import WEEKDAYS, Series

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
MONTHLY = (
    *("BYMONTHDAY=31", "BYMONTHDAY=-1", "BYMONTHDAY=15,20", "BYDAY=2TH", "BYDAY=-1FR", "BYDAY=1MO,3MO"),
    *("BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "BYDAY=SA,SU;BYSETPOS=2,-2", "BYMONTHDAY=28,29,30,31;BYSETPOS=-1", ""),
)
YEARLY = ("BYMONTH=3;BYDAY=-1SU", "BYMONTH=2,11", "BYMONTH=2;BYMONTHDAY=29", "BYDAY=20MO", "BYDAY=-1FR", "")


def _rule(chance: random.Random) -> str:
    frequency = chance.choice(FREQUENCIES)
    parts = [f"FREQ={frequency}"]
    if chance.random() < 0.5:
        parts.append(f"INTERVAL={chance.randint(1, 4)}")
    if frequency == "WEEKLY":
        parts.append("BYDAY=" + ",".join(chance.sample(WEEKDAYS, chance.randint(1, 3))))
        parts.append(chance.choice(("WKST=SU", "WKST=MO")))
    parts.append({"MONTHLY": chance.choice(MONTHLY), "YEARLY": chance.choice(YEARLY)}.get(frequency, ""))
    parts.append(chance.choice((f"COUNT={chance.randint(1, 30)}", "UNTIL=20290326T045959Z", "")))
    return ";".join(part for part in parts if part)


@pytest.mark.parametrize("seed", range(300))
def test_a_series_has_the_occurrences_that_dateutil_finds(seed: int) -> None:
    chance = random.Random(seed)
    rule = _rule(chance)
    start = datetime(2024 + chance.randint(0, 2), chance.randint(1, 12), chance.randint(1, 28), 9, tzinfo=UTC)
    edge = {"dateTime": start.isoformat(), "timeZone": "UTC"}

    series = Series.of({"start": edge, "end": edge, "recurrence": [f"RRULE:{rule}"]}, "UTC")
    found = list(itertools.islice(series.occurrences(), 40))

    expected = [moment.replace(tzinfo=None) for moment in itertools.islice(rrulestr(rule, dtstart=start), 40)]
    assert found == expected, f"seed {seed}: {rule} from {start}"


def test_wall_clocks_survive_a_change_of_daylight_saving_time() -> None:
    start = {"dateTime": "2026-03-28T09:00:00+01:00", "timeZone": "Europe/Berlin"}
    series = Series.of({"start": start, "end": start, "recurrence": ["RRULE:FREQ=DAILY;COUNT=2"]}, "Europe/Berlin")

    assert [series.suffix(moment) for moment in series.occurrences()] == ["20260328T080000Z", "20260329T070000Z"]


def test_exdates_and_rdates_are_understood_in_every_spelling() -> None:
    start = {"dateTime": "2026-05-04T09:00:00+02:00", "timeZone": "Europe/Berlin"}
    lines = [
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20260505T090000",
        "EXDATE:20260506T070000Z,20260507T070000Z",
        "RDATE;TZID=America/New_York:20260601T030000",
    ]
    series = Series.of({"start": start, "end": start, "recurrence": lines}, "Europe/Berlin")

    assert [moment.isoformat()[:10] for moment in series.occurrences()] == ["2026-05-04", "2026-05-08", "2026-06-01"]


def test_all_day_series_are_dates() -> None:
    master = {"start": {"date": "2024-02-29"}, "end": {"date": "2024-03-01"}}
    series = Series.of({**master, "recurrence": ["RRULE:FREQ=YEARLY;UNTIL=20320301"]}, "UTC")

    assert list(series.occurrences()) == [date(2024, 2, 29), date(2028, 2, 29), date(2032, 2, 29)]
