"""What stands in the lines of a card whatever its version: TYPE words, preference, labels and dates.

Reads what clients write in any of vCard 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350), and Apple's own words.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ccdaemon.mapping.contentline import ContentLine, Params, unescape_text

_APPLE_LABEL = re.compile(r"_\$!<(.*)>!\$_", re.DOTALL)
_DATE = re.compile(r"([0-9]{4}|-)-?([0-9]{2})-?([0-9]{2})(?:[T ].*)?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NO_YEAR = ("-", "0000")
_ITEM = re.compile(r"item([0-9]{1,9})", re.IGNORECASE)

KNOWN_TYPES = frozenset(
    {
        *("HOME", "WORK", "OTHER", "SCHOOL", "PERSONAL", "BUSINESS", "PREF", "INTERNET", "X400"),
        *("CELL", "MOBILE", "FAX", "PAGER", "MAIN", "VOICE", "MSG", "TEXT", "TEXTPHONE", "VIDEO", "CAR", "ISDN", "PCS"),
        *("BBS", "MODEM", "IPHONE", "TLX", "DOM", "INTL", "POSTAL", "PARCEL"),
    }
)
"""Words of TYPE that a program chose. Any other that is no X- word is a person's own label for the value."""

_SAME_TYPE = {"MOBILE": "CELL", "PERSONAL": "HOME", "BUSINESS": "WORK"}
# What every address, number or mail address is unless it says otherwise (RFC 2426, sections 3.2.1 to 3.3.2).
_DEFAULT_TYPES = frozenset({"PREF", "INTERNET", "VOICE", "DOM", "INTL", "POSTAL", "PARCEL"})

# Apple's label -> the TYPE that says the same of a number or an address.
_LABEL_TYPES = {
    "Home": ("HOME",),
    "Work": ("WORK",),
    "Other": ("OTHER",),
    "Mobile": ("CELL",),
    "Main": ("MAIN",),
    "Pager": ("PAGER",),
    "HomeFAX": ("HOME", "FAX"),
    "WorkFAX": ("WORK", "FAX"),
    "OtherFAX": ("OTHER", "FAX"),
}
_PLACED = frozenset({"TEL", "EMAIL", "ADR", "URL", "IMPP"})  # properties whose place TYPE tells


@dataclass(frozen=True, slots=True)
class Marks:
    """What a property says of itself beside its value."""

    types: tuple[str, ...]  # upper case, each once, without what goes without saying (PREF, INTERNET, VOICE, POSTAL …)
    label: str  # the person's own name for it, or Apple's word ("Spouse"); "" without
    preferred: bool


def marks(line: ContentLine, label: str) -> Marks:
    """The Marks of a line; ``label`` is the raw value of its X-ABLabel, "" without.

    A label of Apple's that names a place (``_$!<HomeFAX>!$_``) counts as the TYPE that does; a TYPE of the person's own
    (``TYPE=Dacha``) as a label, where there is no other.
    """
    words = [word for value in line.param("TYPE") for word in value.split(",") if word]
    known = [word.upper() for word in words if _is_known(word)]
    types = [_SAME_TYPE.get(word, word) for word in known if word not in _DEFAULT_TYPES]
    text = unescape_text(label)
    found = _APPLE_LABEL.fullmatch(text)
    if found is not None:
        text = found[1]
        if line.key in _PLACED and text in _LABEL_TYPES:
            types += _LABEL_TYPES[text]
            text = ""
    elif not text:
        text = next((word for word in words if not _is_known(word)), "")
    return Marks(tuple(dict.fromkeys(types)), text, "PREF" in known or "1" in line.param("PREF"))


def _is_known(word: str) -> bool:
    return word.upper() in KNOWN_TYPES or word[:2] in ("X-", "x-")


def label_text(value: str) -> str:
    """The text of an X-ABLabel; Apple's own labels without their brackets."""
    text = unescape_text(value)
    found = _APPLE_LABEL.fullmatch(text)
    return text if found is None else found[1]


def is_uri(value: str) -> bool:
    """Whether a value begins with a scheme."""
    return _SCHEME.match(value) is not None


def date_text(line: ContentLine) -> str:
    """The date of BDAY, X-ABDATE or ANNIVERSARY: 1980-02-29, without a year --02-29, else what the line says.

    Knows basic and extended form, truncated years, times after the date, year 0, and X-APPLE-OMIT-YEAR.
    """
    value = unescape_text(line.value)
    found = _DATE.fullmatch(value.strip())
    if found is None or "TEXT" in map(str.upper, line.param("VALUE")):
        return value
    year, month, day = found.groups()
    if year in (*line.param("X-APPLE-OMIT-YEAR"), *_NO_YEAR):
        return f"--{month}-{day}"
    return f"{year}-{month}-{day}"


def ranked(lines: Sequence[ContentLine]) -> list[ContentLine]:
    """PREF=n as order and TYPE=pref: of each name the most preferred line is marked so, the numbers are gone.

    Where several lines of a name bear different numbers they change places, the lowest number first (RFC 6350, section
    5.3), lines without one last; all other lines keep their place.
    """
    if not any(one.param("PREF") for one in lines):
        return list(lines)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(lines):
        places[one.key].append(at)
    out = list(lines)
    for found in places.values():
        numbers = {at: _rank(lines[at]) for at in found if lines[at].param("PREF")}
        if numbers:
            best = min(numbers.values())
            is_order = len(set(numbers.values())) > 1
            moved = sorted(found, key=lambda at: numbers.get(at, _UNRANKED)) if is_order else found
            for at, source in zip(found, moved, strict=True):
                params = without(lines[source].params, "PREF")
                is_best = numbers.get(source) == best
                out[at] = lines[source]._replace(params=preferred(params) if is_best else params)
    return out


_UNRANKED = 101  # one more than the largest PREF


def _rank(line: ContentLine) -> int:
    word = line.param("PREF")[0]
    return min(int(word), _UNRANKED) if word.isascii() and word.isdigit() and len(word) < 9 else _UNRANKED


# --- parameters -------------------------------------------------------------------------------------------------------


def without(params: Params, *names: str) -> Params:
    """The parameters but those of these upper-case names."""
    return tuple(param for param in params if param[0].upper() not in names)


def preferred(params: Params) -> Params:
    """The parameters with "pref" as the last of the TYPE words, where none of them says so yet."""
    for at, (name, values) in enumerate(params):
        if name.upper() == "TYPE":
            if "PREF" in map(str.upper, values):
                return params
            return (*params[:at], (name, (*values, "pref")), *params[at + 1 :])
    return (("TYPE", ("pref",)), *params)


# --- groups -----------------------------------------------------------------------------------------------------------


class Groups:
    """Names for new groups of a card: ``item7`` where ``item6`` is the last one."""

    def __init__(self, lines: Iterable[ContentLine]) -> None:
        numbers = (_ITEM.fullmatch(one.group) for one in lines if one.group is not None)
        self._last = max((int(found[1]) for found in numbers if found is not None), default=0)

    def new(self) -> str:
        """One that no line has."""
        self._last += 1
        return f"item{self._last}"


def labels(lines: Iterable[ContentLine]) -> dict[str, str]:
    """Group -> raw value of its X-ABLabel, the first where there are several."""
    found: dict[str, str] = {}
    for one in lines:
        if one.group is not None and one.key == "X-ABLABEL":
            found.setdefault(one.group, one.value)
    return found
