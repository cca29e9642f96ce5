"""What programs do with the ``caldav`` library first: run in an environment of its own, it prints what it saw as JSON.

Not a test itself: ``test_dav_caldav.py`` starts it. The library brings a urllib3 of its own that would take the place
of the one that this project uses, so that both cannot be imported by one process.
"""

import json
import sys
from datetime import UTC, date, datetime, timedelta

import caldav

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def main(url: str, user: str, password: str) -> dict[str, object]:
    seen: dict[str, object] = {}
    with caldav.DAVClient(url=url, username=user, password=password) as client:
        principal = client.principal()
        calendar = principal.make_calendar(name="Made by a library", cal_id="library")
        seen["calendars"] = sorted(str(one.get_display_name()) for one in principal.get_calendars())

        single = calendar.add_event(uid="single", dtstart=START, dtend=START + timedelta(hours=1), summary="Single")
        calendar.add_event(
            uid="series",
            dtstart=START,
            dtend=START + timedelta(hours=1),
            summary="Series",
            rrule={"FREQ": "DAILY", "COUNT": 5},
        )
        calendar.add_todo(uid="todo", summary="To do", due=START)
        calendar.add_journal(uid="journal", summary="Dear diary", dtstart=date(2026, 3, 2))

        day = {"start": START + timedelta(days=1), "end": START + timedelta(days=2)}
        found = calendar.search(event=True, expand=True, **day)
        seen["expanded"] = [str(one.icalendar_component["DTSTART"].dt) for one in found]
        seen["by text"] = [str(one.icalendar_component["UID"]) for one in calendar.search(event=True, summary="ingl")]
        seen["to do"] = [str(one.icalendar_component["UID"]) for one in calendar.get_todos()]
        seen["journals"] = [str(one.icalendar_component["UID"]) for one in calendar.get_journals()]

        objects = calendar.get_objects_by_sync_token(load_objects=True)
        seen["first sync"] = len(list(objects))
        with single.edit_icalendar_component() as component:
            component["SUMMARY"] = "Changed"
        single.save()
        calendar.get_event_by_uid("series").delete()
        updated, deleted = objects.sync()
        seen["next sync"] = [len(list(updated)), len(list(deleted))]
        seen["changed"] = str(calendar.get_event_by_uid("single").icalendar_component["SUMMARY"])

        calendar.delete()
        seen["left"] = [str(one.get_display_name()) for one in principal.get_calendars()]
    return seen


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
