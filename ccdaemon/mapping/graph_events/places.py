"""Where a Microsoft event takes place, both ways: LOCATION, GEO, and whatever else Outlook knows of a place.

``location`` and ``locations`` tell the same: writing the one alone replaces all of the other.
Source: https://learn.microsoft.com/graph/api/resources/event
"""

from collections.abc import Iterator
from math import isfinite

from ccdaemon.mapping.contentline import ContentLine, escape_text, line
from ccdaemon.mapping.event_lines import text_line
from ccdaemon.mapping.fields import member, objects, text
from ccdaemon.mapping.graph_events.edit import Edit
from ccdaemon.model import Json

_ADDRESS_PARTS = ("street", "postalCode", "city", "state", "countryOrRegion")
_ORDINARY = frozenset({"", "default"})
_MAX_LATITUDE, _MAX_LONGITUDE = 90, 180


# --- reading ----------------------------------------------------------------------------------------------------------


def place_lines(event: Json) -> Iterator[ContentLine]:
    """LOCATION, GEO, and X-MICROSOFT-LOCATION for every place of which those two do not say all."""
    if not event.get("location") and not event.get("locations"):
        return
    shown = _shown(event)
    names = {shown, *shown.split("; ")}  # as Outlook joins several
    yield from text_line("LOCATION", shown)
    if geo := _geo(event):
        yield line("GEO", geo)
    for place in _places(event):
        name, address = text(place, "displayName"), _address(place)
        kind = text(place, "locationType")
        details = (
            ("X-ADDRESS", address if address != shown else ""),
            ("X-EMAIL", text(place, "locationEmailAddress")),
            ("X-URI", text(place, "locationUri")),
            ("X-TYPE", "" if kind in _ORDINARY else kind),
            ("X-GEO", found if (found := _coordinates(place)) != geo else ""),
        )
        params = tuple([(key, (said,)) for key, said in details if said])
        if params or (name and name not in names):
            yield ContentLine("X-MICROSOFT-LOCATION", params, escape_text(name or address))


def _places(event: Json) -> list[Json]:
    """Every place once; ``location`` is one of ``locations`` where Outlook is asked for both."""
    location, locations = member(event, "location"), objects(event, "locations")
    known = any(text(place, "displayName") == text(location, "displayName") for place in locations)
    return locations if known or not location else [location, *locations]


def _shown(event: Json) -> str:
    """The name of the place as Outlook shows it; the names of all, or an address, where it has none."""
    location = member(event, "location")
    if name := text(location, "displayName"):
        return name
    if names := [name for place in objects(event, "locations") if (name := text(place, "displayName"))]:
        return "; ".join(names)
    return _address(location)


def _address(place: Json) -> str:
    if not (address := member(place, "address")):
        return ""
    return ", ".join(part for field in _ADDRESS_PARTS if (part := text(address, field)))


def _geo(event: Json) -> str:
    """GEO of the place that is shown, or of the only one that has coordinates."""
    if found := _coordinates(member(event, "location")):
        return found
    known = [found for place in objects(event, "locations") if (found := _coordinates(place))]
    return known[0] if len(known) == 1 else ""


def _coordinates(place: Json) -> str:
    if not (coordinates := member(place, "coordinates")):
        return ""
    return _geo_value(coordinates.get("latitude"), coordinates.get("longitude"))


def _geo_value(latitude: object, longitude: object) -> str:
    """Two numbers as RFC 5545 section 3.8.1.6 wants them, six digits being some ten centimetres; "" for no place."""
    numbers = [
        value for value in (latitude, longitude) if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len(numbers) != 2 or abs(numbers[0]) > _MAX_LATITUDE or abs(numbers[1]) > _MAX_LONGITUDE:
        return ""
    return (
        ";".join(f"{number:.6f}".rstrip("0").rstrip(".") for number in numbers) if all(map(isfinite, numbers)) else ""
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def place_members(edit: Edit, theirs: Json) -> Json:
    """``location`` where LOCATION or GEO changed; ``locations`` too where there are others that stay."""
    if edit.changed.isdisjoint({"LOCATION", "GEO"}):
        return {}
    before, name = member(theirs, "location"), edit.text("LOCATION").strip()
    if name == _shown(theirs).strip():
        geo = _parsed_geo(edit.text("GEO"))
        if geo == _geo(theirs):
            return {}
        place = {**before, "displayName": name, "coordinates": _as_coordinates(geo)}
    else:  # another place: address, id and coordinates of the old one are none of its own, unless the client says so
        geo = _parsed_geo(edit.mine.component.text("GEO"))
        place = {"displayName": name} | ({"coordinates": _as_coordinates(geo)} if geo else {})
    others = objects(theirs, "locations")
    same = [text(other, "displayName") == text(before, "displayName") for other in others]
    if len(others) < 2 or True not in same or not name:
        return {"location": place}
    at = same.index(True)
    return {"location": place, "locations": [*others[:at], place, *others[at + 1 :]]}


def _parsed_geo(value: str) -> str:
    parts = value.split(";")
    if len(parts) != 2:
        return ""
    try:
        return _geo_value(float(parts[0]), float(parts[1]))
    except ValueError:
        return ""


def _as_coordinates(geo: str) -> Json:
    if not geo:
        return {}
    latitude, longitude = map(float, geo.split(";"))
    return {"latitude": latitude, "longitude": longitude}
