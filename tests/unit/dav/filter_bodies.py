"""Bodies and filters for the tests of queries."""

from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ccdaemon.dav.filters.evaluation import CardFilter, CompFilter, parse_filter
from tests.unit.dav.dav_client import NAMESPACES


def element(root: str, content: str = "", **attributes: str) -> Element:
    """``<root …>content</root>`` with every namespace declared."""
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return ElementTree.fromstring(f"<{root} {NAMESPACES}{written}>{content}</{root}>")


def calendar_filter(component: str, content: str = "") -> CompFilter:
    """The filter for objects with a component of this name that meets ``content``."""
    inner = f'<c:comp-filter name="{component}">{content}</c:comp-filter>'
    parsed = parse_filter(element("c:filter", f'<c:comp-filter name="VCALENDAR">{inner}</c:comp-filter>'))
    assert isinstance(parsed, CompFilter)
    return parsed


def card_filter(content: str = "", **attributes: str) -> CardFilter:
    parsed = parse_filter(element("cr:filter", content, **attributes))
    assert isinstance(parsed, CardFilter)
    return parsed


def prop_filter(name: str, content: str = "", *, short: str = "c") -> str:
    return f'<{short}:prop-filter name="{name}">{content}</{short}:prop-filter>'


def text_match(text: str, *, short: str = "c", **attributes: str) -> str:
    written = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<{short}:text-match{written}>{text}</{short}:text-match>"


def of_card(name: str, *conditions: str, test: str = "anyof") -> str:
    """A prop-filter of an address book."""
    return f'<cr:prop-filter name="{name}" test="{test}">{"".join(conditions)}</cr:prop-filter>'


def text(wanted: str, **attributes: str) -> str:
    """A text-match of an address book."""
    return text_match(wanted, short="cr", **attributes)


class Range(NamedTuple):
    """A time-range; times as in "20260301T000000Z"."""

    start: str | None
    end: str | None

    def __str__(self) -> str:
        bounds = "".join(f' {name}="{value}"' for name, value in self._asdict().items() if value)
        return f"<c:time-range{bounds}/>"


def body(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def calendar(*lines: str) -> str:
    """A VCALENDAR around components."""
    return body("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ccdaemon//test//EN", *lines, "END:VCALENDAR")


def component(name: str, *lines: str) -> tuple[str, ...]:
    return (f"BEGIN:{name}", "UID:one", "DTSTAMP:20260101T000000Z", *lines, f"END:{name}")


def event(*lines: str) -> str:
    return calendar(*component("VEVENT", *lines))


def todo(*lines: str) -> str:
    return calendar(*component("VTODO", *lines))


def card(*lines: str) -> str:
    return body("BEGIN:VCARD", "VERSION:3.0", "UID:one", *lines, "END:VCARD")
