"""Random DAV requests: sound ones, half sound ones and wild ones, by a grammar of what clients say."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tests.unit.dav.dav_client import NAMESPACES
from tests.unit.dav.household import START
from tests.unit.dav.recorded_requests import RECORDED, filled

METHODS = (
    "GET", "HEAD", "OPTIONS", "PROPFIND", "PROPFIND", "PROPPATCH", "REPORT", "REPORT", "REPORT", "REPORT", "PUT", "PUT",
    "PUT", "DELETE", "MOVE", "MKCOL", "MKCALENDAR", "COPY", "LOCK", "UNLOCK", "ACL", "POST", "PATCH", "TRACE", "SEARCH",
)  # fmt: skip
DEPTHS = ("", "0", "1", "infinity", "2", "-1", "é", "0, 1")
ROOTS = (
    "d:propfind", "d:sync-collection", "c:calendar-query", "c:calendar-multiget", "c:free-busy-query",
    "cr:addressbook-query", "cr:addressbook-multiget", "d:principal-property-search", "d:principal-match",
    "d:principal-search-property-set", "d:expand-property", "d:acl-principal-prop-set", "d:version-tree",
    "d:propertyupdate", "d:mkcol", "c:mkcalendar", "d:lockinfo", "d:acl", "d:prop", "x",
)  # fmt: skip
ROOTS_OF: dict[str, Sequence[str]] = {
    "PROPFIND": ROOTS[:1],
    "REPORT": [*ROOTS[1:7] * 4, *ROOTS[7:12]],
    "PROPPATCH": ["d:propertyupdate"],
    "MKCOL": ["d:mkcol"],
    "MKCALENDAR": ["c:mkcalendar"],
}
OF_CARDS = {"c:calendar-query": "cr:addressbook-query", "c:calendar-multiget": "cr:addressbook-multiget"}
PROPERTIES = (
    "d:getetag", "d:getcontenttype", "d:getcontentlength", "d:getlastmodified", "d:displayname", "d:resourcetype",
    "d:sync-token", "cs:getctag", "d:owner", "d:supported-report-set", "d:current-user-privilege-set", "d:acl",
    "d:current-user-principal", "d:principal-URL", "d:creationdate", "d:supportedlock", "d:group-membership",
    "c:calendar-data", "c:calendar-home-set", "c:calendar-timezone", "c:calendar-timezone-id", "c:max-resource-size",
    "c:supported-calendar-component-set", "c:supported-calendar-data", "c:calendar-user-address-set",
    "c:calendar-description", "c:schedule-inbox-URL", "cr:address-data", "cr:addressbook-home-set",
    "cr:supported-address-data", "cr:addressbook-description", "ical:calendar-color", "ical:calendar-order", "x",
    "cs:x-y", "d:getcontentlanguage",
)  # fmt: skip
PARTS = (
    "d:prop", "d:allprop", "d:propname", "d:include", "d:href", "d:sync-token", "d:sync-level", "d:limit", "cr:limit",
    "d:nresults", "cr:nresults", "d:set", "d:remove", "c:filter", "cr:filter", "c:comp-filter", "c:prop-filter",
    "c:param-filter", "c:text-match", "c:time-range", "c:is-not-defined", "cr:prop-filter", "cr:param-filter",
    "cr:text-match", "cr:is-not-defined", "c:comp", "c:prop", "c:allcomp", "c:allprop", "c:expand", "cr:prop",
    "c:limit-recurrence-set", "c:limit-freebusy-set", "c:timezone", "c:timezone-id", "d:property", "d:property-search",
    "d:match", "d:collection", "c:calendar", "cr:addressbook", "d:principal-property",
)  # fmt: skip
TIMES = (
    "20260301T000000Z", "20260401T000000Z", "20250101T000000Z", "00010101T000000Z", "99991231T235959Z", "20260302",
    "20260302T090000", "20261399T000000Z", "", "x", "19000101T000000Z", "20260302T090000Z", "20260302T090001Z",
)  # fmt: skip
WORDS = (
    "", "a", "day", "Person 1", "DAY 0", "ä", "ß", "é" * 300, "%", "_", "\\", "&amp;", "&lt;&gt;", "event-0", "0", "1",
    "-1", "99999999999999999999", "yes", "no", "VEVENT", "VCALENDAR", "VTODO", "VCARD", "SUMMARY", "FN", "🦊", "\t\n",
    "mailto:anna@example.org", "#ff0000", "Europe/Zurich", "Nowhere/None", "infinite", "true", "http://[", "۱۲",
    "&#13;",
)  # fmt: skip
NAMES = ("VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VALARM", "VTIMEZONE", "SUMMARY", "UID", "CATEGORIES", "FN", "N",
    "EMAIL", "NICKNAME", "TEL", "ORG", "DTSTART", "DUE", "COMPLETED", "ATTENDEE", "TYPE", "PARTSTAT", "X-A",
    "item1.TEL",
    "", "é", "summary", "VFREEBUSY", "STATUS")  # fmt: skip
ATTRIBUTES: dict[str, Sequence[str]] = {
    "name": NAMES,
    "start": TIMES,
    "end": TIMES,
    "test": ("anyof", "allof", "x", ""),
    "collation": ("i;ascii-casemap", "i;octet", "i;unicode-casemap", "i;unasked", "", "default"),
    "match-type": ("equals", "contains", "starts-with", "ends-with", "x"),
    "negate-condition": ("yes", "no", "x"),
    "content-type": ("text/calendar", "text/vcard", "application/calendar+json", ""),
    "version": ("2.0", "3.0", "4.0", "x"),
    "novalue": ("yes", "no"),
    "namespace": ("DAV:", "urn:x", ""),
    "xml:lang": ("de", ""),
}
HREFS = (
    "new.ics", "3.vcf", "new.vcf", "000000.ics", "000001.ics", "000003.vcf",
    "a b.ics", "100%.ics", "%41.ics", "..", ".", "~x",
    "a&b.ics", "a'b\".vcf", "x" * 250, "x" * 300, ".hidden", "a;b=c.ics", "a?b.ics", "a#b.vcf", "<x>", "a\\b", "Å",
)  # fmt: skip
RULES = (
    "FREQ=DAILY", "FREQ=SECONDLY", "FREQ=WEEKLY;BYDAY=MO,TU", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "INTERVAL=0",
    "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR;COUNT=5", "FREQ=DAILY;UNTIL=99991231", "FREQ=HOURLY;COUNT=2147483647", "x=y",
    "FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU", "FREQ=DAILY;COUNT=3;RSCALE=CHINESE", "FREQ=DAILY;BYHOUR=25", "FREQ=",
)  # fmt: skip
LINES = (
    "DTSTART:20260302T090000", "DTSTART;TZID=Europe/Zurich:20260329T023000", "DTSTART;VALUE=DATE:20260302", "DTSTART:x",
    "DTSTART:00010101T000000Z", "DTSTART:99991231T235959Z", "DTEND:00010101T000000Z", "DURATION:-P1D",
    "DURATION:P9999999D",
    "DURATION:PT1H", "RECURRENCE-ID:20260303T090000Z", "RECURRENCE-ID;VALUE=DATE:20260303", "EXDATE:20260302T090000Z,x",
    "RDATE;VALUE=PERIOD:20260301T000000Z/P1D", "RDATE:99991231T235959Z", "UID:", "UID:event-0", "UID:" + "u" * 3000,
    "SUMMARY", "SUMMARY;:x", ":", " folded", "BEGIN:VALARM", "END:VALARM", "TRIGGER;RELATED=END:PT1H", "END:VEVENT",
    "BEGIN:VEVENT", "DTSTART;TZID=Made Up:20260302T090000", "DTSTART;TZID=:20260302T090000", "PHOTO:data:,AA",
    "X-A;B=\"c", "N:a;b;c;d;e;f;g", "FN;CHARSET=utf-16:x", "VERSION:9", "item1.X-ABLabel:x", "TRANSP:TRANSPARENT",
    "COMPLETED:20260302", "DUE:20260302T090000Z", "PERCENT-COMPLETE:x", "GEO:x", "METHOD:REQUEST", "SUMMARY:\x00",
    "\x85",
)  # fmt: skip

_ATTRIBUTE = re.compile(r'="[^"]*"')
_ELEMENT = re.compile(r"<[^<>?!]*>")


@dataclass(kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Grammar:
    """Makes requests of somebody in whose home there are ``places`` (paths), and among whom ``bodies`` go round."""

    chance: random.Random
    places: list[str]
    collections: list[str]
    bodies: Sequence[str]
    names: Sequence[dict[str, str]]  # for the places of recorded requests
    heard: list[str] = field(default_factory=lambda: ["", '"x"', "*", "urn:x"])  # tokens and tags of answers

    written: list[str] = field(default_factory=list)  # paths of items that were stored

    def request(self) -> Asked:
        """The next one."""
        if self.chance.random() < 0.15:
            return self._recorded()
        method = self.chance.choice(METHODS)
        path = self._path(method)
        asked = Asked(method=method, path=path, headers=self._headers(method), body=self._body(method, path))
        if self.chance.random() < 0.05:
            asked.body = self._damaged(asked.body)
        return asked

    def _recorded(self) -> Asked:
        sent = self.chance.choice(RECORDED)
        names = self.chance.choice(self.names)
        known = {
            **names,
            "token": self.chance.choice(self.heard).strip('"'),
            "event-etag": self.chance.choice(self.heard),
        }
        body = filled(sent.body, _Any(known))
        headers = {name: filled(value, _Any(known)) for name, value in sent.headers.items() if name != "Host"}
        body = self._changed(body) if self.chance.random() < 0.7 else body
        return Asked(method=sent.method, path=filled(sent.path, _Any(known)), headers=headers, body=body.encode())

    # --- where, and beside

    def _path(self, method: str) -> str:
        chance = self.chance
        if method in ("MOVE", "DELETE", "GET") and self.written and chance.random() < 0.4:
            return chance.choice(self.written)
        likely = 0.98 if method == "DELETE" else 0.7  # a collection that is gone has little to tell
        if method in ("PUT", "MOVE", "DELETE") and chance.random() < likely:
            href = chance.choice([href for href in HREFS if method != "DELETE" or href not in ("", ".", "..")])
            return chance.choice(self.collections) + href
        if method in ("MKCOL", "MKCALENDAR"):
            return f"/anna/{chance.choice(['new', 'other', 'x' * 200, 'a b', '.x', '', 'é'])}{chance.choice(['', '/'])}"
        if method == "REPORT" and chance.random() < 0.8:
            return chance.choice(self.collections)
        path = chance.choice(self.places)
        if chance.random() < 0.1:
            path = chance.choice(["//", "/..", "/%2e%2e", "/.web", "/.well-known/caldav", "", "*"]) + path
        return path + (chance.choice(["", "/", "x", "/x", "//", "?a=b"]) if chance.random() < 0.1 else "")

    def _href(self) -> str:
        chance = self.chance
        href = chance.choice([*self.places, *self.written[-3:], chance.choice(self.collections) + chance.choice(HREFS)])
        if chance.random() < 0.2:
            href = (
                chance.choice(["http://127.0.0.1:5232", "https://other.example", "//x", "http://[", " ", "?", ""])
                + href
            )
        return href

    def _headers(self, method: str) -> dict[str, str]:
        chance, headers = self.chance, {"Depth": self.chance.choice(DEPTHS[:4])}
        if method in ("MOVE", "COPY"):
            headers["Destination"] = self._href()
        rare: dict[str, Callable[[], str]] = {
            "If-Match": lambda: chance.choice(self.heard),
            "If-None-Match": lambda: chance.choice(self.heard),
            "If-Unmodified-Since": lambda: chance.choice(["Mon, 02 Mar 2026 09:00:00 GMT", "x", "Mon, 99 Mar 2026"]),
            "If-Modified-Since": lambda: chance.choice(["Mon, 02 Mar 2026 09:00:00 GMT", "x", "1"]),
            "If": lambda: f"(<{chance.choice(self.heard)}>)",
            "Prefer": lambda: chance.choice(["return=minimal", "return=representation", "x", ",,;="]),
            "Brief": lambda: chance.choice("tf"),
            "Overwrite": lambda: chance.choice("TFX"),
            "Accept": lambda: chance.choice(
                ["text/vcard; version=4.0", "*/*;q=x", 'text/vcard;version="4.0";q=0.1', ""]
            ),
            "Accept-Encoding": lambda: chance.choice(["gzip", "gzip;q=0", "br"]),
            "Range": lambda: chance.choice(["bytes=0-1", "bytes=x"]),
            "Content-Encoding": lambda: chance.choice(["gzip", "identity", "x"]),
            "Content-Range": lambda: "bytes 0-1/2",
            "Depth": lambda: chance.choice(DEPTHS),
            "Destination": self._href,
            "Expect": lambda: "x",
            "X-Script-Name": lambda: "/x",
            "Origin": lambda: "https://other.example",
            "Timeout": lambda: "Infinite",
            "Slug": lambda: "é",
        }
        for name in chance.sample(sorted(rare), chance.choice([0, 0, 0, 1, 1, 2, 4])):
            headers[name] = rare[name]()
        return headers

    # --- what

    def _body(self, method: str, path: str) -> bytes:
        if method in ("PUT", "POST"):
            return self._item(is_card="book" in path).encode("utf-8", "surrogatepass")
        if method in ("GET", "HEAD", "OPTIONS", "DELETE", "MOVE", "COPY") and self.chance.random() < 0.95:
            return b""
        return self._xml(method, path).encode()

    def _item(self, *, is_card: bool) -> str:
        chance = self.chance
        fitting = [body for body in self.bodies if ("BEGIN:VCARD" in body) == is_card]
        body = chance.choice(fitting if chance.random() < 0.9 else self.bodies)
        if chance.random() < 0.6:
            return body
        lines = body.split("\r\n")
        for _ in range(chance.choice([1, 1, 2, 5])):
            at = chance.randrange(len(lines))
            match chance.randrange(6):
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(at, lines[at])
                case 2:
                    lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
                case 3:
                    lines.insert(at, f"RRULE:{chance.choice(RULES)}")
                case _:
                    lines.insert(at, chance.choice(LINES))
            lines = lines or [""]
        return chance.choice(["\r\n"] * 5 + ["\n"]).join(lines)

    def _xml(self, method: str, path: str) -> str:
        chance = self.chance
        root = chance.choice(ROOTS if chance.random() < 0.2 else ROOTS_OF.get(method, ROOTS))
        if method == "REPORT" and chance.random() < 0.8:  # of the kind of the collection
            root = OF_CARDS.get(root, root) if "book" in path else root.replace("cr:addressbook", "c:calendar")
        inner = self._sound(root) if chance.random() < 0.85 else self._wild(3)
        body = f'<?xml version="1.0" encoding="utf-8"?><{root} {NAMESPACES}>{inner}</{root}>'
        return self._changed(body) if chance.random() < 0.2 else body

    def _sound(self, root: str) -> str:
        """What belongs into a root."""
        prop = self._prop()
        match root:
            case "d:propfind":
                return self.chance.choice(
                    [prop, "<d:allprop/>", "<d:propname/>", f"<d:allprop/><d:include>{prop}</d:include>"]
                )
            case "d:sync-collection":
                limit = f"<d:limit><d:nresults>{self.chance.choice('01122339x')}</d:nresults></d:limit>"
                tokens = ["", *(one for one in self.heard if one.startswith("urn:"))]
                token = self.chance.choice(tokens if self.chance.random() < 0.9 else self.heard).strip('"')
                return f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>{self._maybe(limit)}{prop}"
            case "c:calendar-query":
                return f"{prop}<c:filter>{self._comp_filter('VCALENDAR', 3)}</c:filter>{self._maybe(self._timezone())}"
            case "cr:addressbook-query":
                limit = f"<cr:limit><cr:nresults>{self.chance.choice('01122339x')}</cr:nresults></cr:limit>"
                filters = "".join(self._prop_filter("cr") for _ in range(self.chance.randrange(4)))
                return f"{prop}<cr:filter{self._attributes('test')}>{filters}</cr:filter>{self._maybe(limit)}"
            case "c:calendar-multiget" | "cr:addressbook-multiget":
                hrefs = "".join(f"<d:href>{_text(self._href())}</d:href>" for _ in range(self.chance.randrange(1, 6)))
                return prop + hrefs
            case "c:free-busy-query":
                return self._range()
            case "d:propertyupdate" | "d:mkcol" | "c:mkcalendar":
                sort = self.chance.choice(["d:set", "d:set", "d:remove"])
                kind = self.chance.choice(["<d:collection/><c:calendar/>", "<d:collection/><cr:addressbook/>", ""])
                values = self._wild(2) + self._maybe(f"<d:resourcetype>{kind}</d:resourcetype>")
                named = "".join(f"<{one}>{self._word()}</{one}>" for one in self.chance.sample(PROPERTIES, 2))
                return f"<{sort}><d:prop>{values}{named}</d:prop></{sort}>"
            case _:
                return self._wild(3)

    def _prop(self) -> str:
        names = self.chance.sample(PROPERTIES, self.chance.choice([0, 1, 2, 5, 20]))
        filled = {"c:calendar-data": self._data, "cr:address-data": self._data}
        return f"<d:prop>{''.join(filled[name](name) if name in filled else f'<{name}/>' for name in names)}</d:prop>"

    def _data(self, name: str) -> str:
        bounds = self._attributes("start", "end")
        inner = self.chance.choice(
            ["", "", f"<c:expand{bounds}/>", f"<c:limit-recurrence-set{bounds}/>", f"<c:limit-freebusy-set{bounds}/>",
            self._comp(3), "".join(f"<cr:prop{self._attributes('name', 'novalue')}/>" for _ in range(3))]
        )  # fmt: skip
        return f"<{name}{self._maybe(self._attributes('content-type', 'version'))}>{inner}</{name}>"

    def _comp(self, depth: int) -> str:
        inner = "".join(f"<c:prop{self._attributes('name', 'novalue')}/>" for _ in range(self.chance.randrange(3)))
        inner += self._maybe("<c:allcomp/>") + self._maybe("<c:allprop/>")
        return f"<c:comp{self._attributes('name')}>{inner}{self._comp(depth - 1) if depth else ''}</c:comp>"

    def _comp_filter(self, name: str, depth: int) -> str:
        chance = self.chance
        inner = self._maybe(self._range()) + self._maybe("<c:is-not-defined/>" if chance.random() < 0.2 else "")
        inner += "".join(self._prop_filter("c") for _ in range(chance.choice([0, 0, 1, 2])))
        if depth:
            names = ["VEVENT", "VTODO", "VALARM", "VJOURNAL", *NAMES[:2]]
            inner += "".join(
                self._comp_filter(chance.choice(names), depth - 1) for _ in range(chance.choice([0, 1, 1, 2]))
            )
        return f'<c:comp-filter name="{name}"{self._maybe(self._attributes("test"))}>{inner}</c:comp-filter>'

    def _prop_filter(self, short: str) -> str:
        conditions = [
            f"<{short}:text-match{self._maybe(self._attributes('collation', 'match-type', 'negate-condition'))}>"
            f"{self._word()}</{short}:text-match>",
            f"<{short}:is-not-defined/>",
            f"<{short}:param-filter{self._attributes('name')}>"
            f"<{short}:text-match>{self._word()}</{short}:text-match></{short}:param-filter>",
            self._range() if short == "c" else "",
        ]
        inner = "".join(self.chance.sample(conditions, self.chance.choice([0, 1, 1, 2])))
        attributes = self._attributes("name") + self._maybe(self._attributes("test"))
        return f"<{short}:prop-filter{attributes}>{inner}</{short}:prop-filter>"

    def _timezone(self) -> str:
        zone = "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nEND:VCALENDAR"
        return self.chance.choice(
            [f"<c:timezone-id>{self._word()}</c:timezone-id>", f"<c:timezone>{zone}</c:timezone>"]
        )

    def _range(self) -> str:
        if self.chance.random() < 0.85:
            start = START + timedelta(days=self.chance.randrange(-40, 40))
            return f'<c:time-range start="{start:%Y%m%dT%H%M%SZ}" end="{start + timedelta(days=9):%Y%m%dT%H%M%SZ}"/>'
        return f"<c:time-range{self._maybe(self._attributes('start'))}{self._maybe(self._attributes('end'))}/>"

    def _wild(self, depth: int) -> str:
        chance = self.chance
        pieces = []
        for _ in range(chance.randrange(4)):
            name = chance.choice(PARTS + PROPERTIES)
            inner = self._wild(depth - 1) if depth and chance.random() < 0.7 else self._word()
            attributes = self._attributes(*chance.sample(sorted(ATTRIBUTES), chance.choice([0, 1, 2])))
            pieces.append(f"<{name}{attributes}>{inner}</{name}>")
        return "".join(pieces)

    def _attributes(self, *names: str) -> str:
        """Mostly sound ones, which come first."""
        sound = 2 if self.chance.random() < 0.8 else None
        return "".join(
            f' {name}="{self.chance.choice(ATTRIBUTES[name] if name == "name" else ATTRIBUTES[name][:sound])}"'
            for name in names
        )

    def _word(self) -> str:
        return self.chance.choice(WORDS)

    def _maybe(self, text: str) -> str:
        return text if self.chance.random() < 0.5 else ""

    # --- damage

    def _changed(self, body: str) -> str:
        """XML with one attribute or empty element that is another, or once more, or not there."""
        chance = self.chance
        pattern = chance.choice([_ATTRIBUTE, _ELEMENT])
        found = list(pattern.finditer(body))
        if not found:
            return body
        one = chance.choice(found)
        if pattern is _ATTRIBUTE:
            value = chance.choice(chance.choice([TIMES, NAMES, WORDS[:2]]))
            return f'{body[: one.start()]}="{value}"{body[one.end() :]}'
        other = chance.choice(
            [
                one[0] * 2,
                "",
                f"<{chance.choice(PARTS + PROPERTIES)}/>",
                chance.choice(found)[0],
                "<!-- x -->",
                "<?x y?>",
            ]
        )
        return body[: one.start()] + other + body[one.end() :]

    def _damaged(self, body: bytes) -> bytes:
        chance = self.chance
        at = chance.randrange(len(body) + 1)
        return chance.choice(
            [body[:at], body[:at] + chance.randbytes(3) + body[at:], body[at:], b"\xef\xbb\xbf" + body]
        )


class _Any(dict[str, str]):
    """A place that is not known is nowhere."""

    def __missing__(self, _name: str) -> str:
        return "/anna/nowhere"


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
