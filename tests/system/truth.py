"""What the sandbox holds, as a person would see it: written from the providers' documents, without the product's code.

``GET /__sandbox__/truth`` shows every object as a full read of the provider's API would.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from tests.system.seen import Card, Moment, Occurrence, Series, instant, sorted_by_start

Json = dict[str, Any]

SYSTEM_GROUPS = {"starred": "Starred", "friends": "Friends", "family": "Family", "coworkers": "Coworkers"}
"""Google's own groups that a person can see and choose; the others hold everybody or nobody."""
SEES_ALL = {"owner", "writer"}
YEARLESS = 1604  # Outlook's year for a birthday without one
UNTIL = re.compile(r"UNTIL=(\d{8})")


@cache
def zone_of(name: str) -> ZoneInfo:
    """From the tzdata package, not from a system whose zones may be years old."""
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


# --- Google contacts --------------------------------------------------------------------------------------------------


def google_cards(cloud: Json) -> list[Card]:
    """Every contact of the one address book."""
    groups = {
        group["resourceName"]: SYSTEM_GROUPS.get(group["name"], "")
        if group["groupType"] == "SYSTEM_CONTACT_GROUP"
        else group["name"]
        for group in cloud["groups"]
    }
    return [_google_card(person, groups) for person in cloud["contacts"]]


def _google_card(person: Json, groups: Mapping[str, str]) -> Card:
    name: Json = next(iter(person.get("names", ())), {})
    shown = name.get("displayName", "")
    parts = {"familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"}
    memberships = (one["contactGroupMembership"]["contactGroupResourceName"] for one in person.get("memberships", ()))
    organisations = sorted(person.get("organizations", ()), key=lambda one: not _is_primary(one))
    return Card(
        name=shown or _stand_in(
            [one.get("name", "") for one in organisations],
            _all(person, "nicknames"), _all(person, "emailAddresses"), _all(person, "phoneNumbers"),
        ),
        family=name.get("familyName", ""),
        given=name.get("givenName", "") if parts & name.keys() else shown,
        mails=tuple(sorted(_all(person, "emailAddresses"))),
        phones=tuple(sorted(_all(person, "phoneNumbers"))),
        birthday=next((_google_birthday(one) for one in person.get("birthdays", ())), ""),
        note="".join(_all(person, "biographies")),
        categories=tuple(sorted({groups[one] for one in memberships} - {""})),
        has_photo=any(not photo.get("default") for photo in person.get("photos", ())),
    )  # fmt: skip


def _is_primary(entry: Json) -> bool:
    return bool(entry["metadata"].get("primary"))


def _all(person: Json, field: str) -> list[str]:
    return [entry["value"] for entry in person.get(field, ()) if entry.get("value")]


def _stand_in(*candidates: Sequence[str]) -> str:
    """What somebody without a name is called: the company, a nickname, a mail address, a number."""
    return next((one for row in candidates for one in row if one), "(no name)")


def _google_birthday(birthday: Json) -> str:
    """The date; its text only where Google understood none."""
    day = birthday.get("date")
    if day is None:
        return str(birthday.get("text", ""))
    return (
        f"{day['year']:04}-{day['month']:02}-{day['day']:02}"
        if day.get("year")
        else (f"--{day['month']:02}-{day['day']:02}")
    )


# --- Microsoft contacts -----------------------------------------------------------------------------------------------


def microsoft_cards(cloud: Json, folder_id: str) -> list[Card]:
    """Every contact of one folder."""
    return [
        _microsoft_card(contact, has_photo=contact["id"] in cloud["photos"])
        for contact in cloud["contacts"]
        if contact["parentFolderId"] == folder_id
    ]


def _microsoft_card(contact: Json, *, has_photo: bool) -> Card:
    shown = contact["displayName"] or ""
    parts = [contact[field] for field in ("surname", "givenName", "middleName", "title", "generation")]
    company = contact["companyName"] or ""
    mails = [slot["address"] for slot in contact["emailAddresses"] if slot.get("address")]
    phones = [one for one in (contact["mobilePhone"], *contact["businessPhones"], *contact["homePhones"]) if one]
    is_company = bool(company) and not any(parts) and shown in ("", company)
    return Card(
        name=shown or _stand_in([company], [contact["nickName"] or ""], mails, phones),
        family=contact["surname"] or "",
        given=(contact["givenName"] or "") if any(parts) or is_company else shown,
        mails=tuple(sorted(mails)),
        phones=tuple(sorted(phones)),
        birthday=_microsoft_date(contact["birthday"]),
        note=(contact["personalNotes"] or "").replace("\r\n", "\n"),
        categories=tuple(sorted(set(contact["categories"]))),
        has_photo=has_photo,
    )


def _microsoft_date(birthday: str | None) -> str:
    if not birthday:
        return ""
    day = date.fromisoformat(birthday[:10])
    return f"--{day:%m-%d}" if day.year == YEARLESS else day.isoformat()


# --- Google calendars -------------------------------------------------------------------------------------------------


def google_series(cloud: Json, calendar: Json) -> list[Series]:
    """Every object of one calendar."""
    groups: dict[str, list[Json]] = {}
    for event in cloud["events"][calendar["id"]]:
        groups.setdefault(event.get("recurringEventId") or event["id"], []).append(event)
    return [found for group in groups.values() if (found := _google_object(group, calendar)) is not None]


def _google_object(group: Sequence[Json], calendar: Json) -> Series | None:
    master = next((event for event in group if "recurringEventId" not in event), None)
    changes = [event for event in group if event is not master]
    changed = [event for event in changes if event["status"] != "cancelled"]
    if master is None and not changed:
        return None  # nothing but cancelled leftovers of a series that is not ours to see
    gone = {_original_start(event) for event in changes if event["status"] == "cancelled"}
    rules = master.get("recurrence", ()) if master else ()
    return Series(
        uid=(master or changed[0])["iCalUID"],
        first=None if master is None else _google_occurrence(master, calendar),
        recurs=any(not rule.startswith(("EXDATE", "EXRULE")) for rule in rules),
        excluded=frozenset(one for one in {*gone, *_exdates(rules)} if not _is_after_the_end(one, rules)),
        changed=sorted_by_start([_google_occurrence(event, calendar) for event in changed]),
    )


def _google_occurrence(event: Json, calendar: Json) -> Occurrence:
    start = _google_moment(event["start"])
    return Occurrence(
        summary=event.get("summary", "") or _unnamed(event, calendar["accessRole"]),
        start=start,
        end=start if event.get("endTimeUnspecified") else _google_moment(event["end"]),
        location=event.get("location", "") or _working_place(event),
        attendees=len(event.get("attendees", ())),
        status=event["status"].upper(),
        replaces=_original_start(event) if "recurringEventId" in event else None,
    )


def _unnamed(event: Json, role: str) -> str:
    is_private = event.get("visibility") in {"private", "confidential"}
    return "Busy" if role == "freeBusyReader" or (is_private and role not in SEES_ALL) else _working_place(event)


def _working_place(event: Json) -> str:
    place = event.get("workingLocationProperties", {})
    if "homeOffice" in place:
        return "Home"
    label: str = (place.get("officeLocation") or place.get("customLocation") or {}).get("label", "")
    return label


def _google_moment(point: Mapping[str, str]) -> Moment:
    return date.fromisoformat(point["date"]) if "date" in point else instant(datetime.fromisoformat(point["dateTime"]))


def _original_start(event: Json) -> Moment:
    return _google_moment(event["originalStartTime"])


def _exdates(rules: Iterable[str]) -> Iterator[Moment]:
    for rule in rules:
        if rule.startswith("EXDATE"):
            head, _, values = rule.partition(":")
            zone = re.search(r"TZID=([^;:]+)", head)
            yield from (_ical_moment(value, zone[1] if zone else "UTC") for value in values.split(","))


def _ical_moment(value: str, zone: str) -> Moment:
    if "T" not in value:
        return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).date()
    local = datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the zone is set here
    return instant(local.replace(tzinfo=UTC if value.endswith("Z") else zone_of(zone)))


def _is_after_the_end(moment: Moment, rules: Iterable[str]) -> bool:
    """ "This and following" leaves cancelled occurrences behind the end of the series: they exclude nothing."""
    ends = [found[1] for rule in rules if rule.startswith("RRULE") and (found := UNTIL.search(rule))]
    return bool(ends) and f"{moment:%Y%m%d}" > max(ends)


# --- Microsoft calendars ----------------------------------------------------------------------------------------------


def microsoft_series(cloud: Json, calendar_id: str) -> list[Series]:
    """Every object of one calendar."""
    return [_microsoft_object(one) for one in cloud["events"] if one["calendarId"] == calendar_id]


def _microsoft_object(one: Json) -> Series:
    master = one["event"]
    return Series(
        uid=master["iCalUId"],
        first=_microsoft_occurrence(master, None),
        recurs=master["recurrence"] is not None,
        excluded=frozenset(_on_day_of(occurrence, master) for occurrence in one["cancelledOccurrences"]),
        changed=sorted_by_start(
            [_microsoft_occurrence(event, _on_day_of(event["occurrenceId"], master)) for event in one["exceptions"]]
        ),
    )


def _microsoft_occurrence(event: Json, replaces: Moment | None) -> Occurrence:
    is_all_day = event["isAllDay"]
    return Occurrence(
        summary=event["subject"] or "",
        start=_microsoft_moment(event["start"], is_all_day=is_all_day),
        end=_microsoft_moment(event["end"], is_all_day=is_all_day),
        location=(event["location"] or {}).get("displayName") or "",
        attendees=len(event["attendees"]),
        status="CANCELLED" if event["isCancelled"] else "",
        replaces=replaces,
    )


def _on_day_of(occurrence_id: str, master: Json) -> Moment:
    """ "OID.<master>.<day>": that day at the clock time of the series."""
    day, first = occurrence_id.rpartition(".")[2], master["start"]
    moved = {**first, "dateTime": day + first["dateTime"][10:]}
    return _microsoft_moment(moved, is_all_day=master["isAllDay"])


def _microsoft_moment(point: Mapping[str, str], *, is_all_day: bool) -> Moment:
    if is_all_day:
        return date.fromisoformat(point["dateTime"][:10])
    zone = point["timeZone"]
    local = datetime.fromisoformat(point["dateTime"][:19])
    return instant(local.replace(tzinfo=zone_of(WINDOWS_TO_OLSON.get(zone, zone))))


# --- everything -------------------------------------------------------------------------------------------------------


def expected(cloud: Json, provider: str, kind: str, name: str) -> list[Card] | list[Series]:
    """What one collection must show; ``name`` is what the provider calls it."""
    if provider == "google":
        if kind == "contacts":
            return google_cards(cloud)
        return google_series(
            cloud, _only(cloud["calendars"], lambda one: one.get("summaryOverride", one["summary"]), name)
        )
    if kind == "contacts":
        return microsoft_cards(cloud, _only(cloud["folders"], lambda one: one["displayName"], name)["id"])
    return microsoft_series(cloud, _only(cloud["calendars"], lambda one: one["name"], name)["id"])


def names(cloud: Json, provider: str) -> list[tuple[str, str]]:
    """Kind and name of every collection that the provider has, sorted."""
    calendars = [
        one.get("summaryOverride", one["summary"]) if provider == "google" else one["name"]
        for one in cloud["calendars"]
    ]
    books = ["Contacts"] if provider == "google" else [one["displayName"] for one in cloud["folders"]]
    return sorted([("contacts", book) for book in books] + [("events", calendar) for calendar in calendars])


def _only(entries: Iterable[Json], name_of: Callable[[Json], Any], name: str) -> Json:
    found = [entry for entry in entries if name_of(entry) == name]
    assert len(found) == 1, f"{len(found)} collections are called {name}"
    return found[0]
