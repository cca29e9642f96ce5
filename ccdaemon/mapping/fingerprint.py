"""Hash of what a vCard or iCalendar body means, for the decision which side has changed.

Two bodies that differ only in what software rewrites on its own give the same fingerprint: the order of properties,
components and parameters; folding and line ends; the case of names; quotes around parameter values; DTSTAMP, PRODID,
REV, LAST-MODIFIED and our witness (merge.py); the wording of a VTIMEZONE, of which only its TZID counts, where it is
used.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

from ccdaemon.mapping.merge import WITNESS
from ccdaemon.model import Fingerprint

_IGNORED = frozenset({"DTSTAMP", "PRODID", "REV", "LAST-MODIFIED", WITNESS})
_UNORDERED = frozenset({"TYPE", "FEATURE"})  # parameters whose values are a set of case-insensitive words
_BEGIN_ZONE, _END_ZONE = "\nBEGIN:VTIMEZONE\n", "\nEND:VTIMEZONE\n"
_MAX_HEAD, _MAX_ZONE = 80, 8192  # characters of what is remembered


def fingerprint(body: str) -> Fingerprint:
    """The fingerprint of any text; what is no sound body is hashed line by line and never raises."""
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    body = _without_zones(body.removeprefix("\ufeff").replace("\n ", "").replace("\n\t", ""))
    return fingerprint_of(body.split("\n"))


def fingerprint_of(lines: Iterable[str]) -> Fingerprint:
    """The fingerprint of the body that consists of these logical lines. Those of VTIMEZONEs may be missing."""
    open_components: list[list[str]] = [[]]
    here = open_components[0]
    for line in lines:
        if not line:
            continue
        head, colon, value = line.partition(":")
        if '"' in head:
            if (meaning := _with_quotes(line)) is not None:
                here.append(meaning)
            continue
        meant = _known_head(head) if len(head) <= _MAX_HEAD else _head(head)
        if meant == "BEGIN":
            here = [f"BEGIN:{value.upper()}"]
            open_components.append(here)
        elif meant == "END" and len(open_components) > 1:
            _close(open_components)
            here = open_components[-1]
        elif meant is not None:
            here.append(line if meant == head else f"{meant}{colon}{value}")
    while len(open_components) > 1:  # a body that was cut
        _close(open_components)
    meaning = "\n".join(sorted(open_components[0]))
    return Fingerprint(sha256(meaning.encode("utf-8", "surrogatepass")).hexdigest())


def _close(open_components: list[list[str]]) -> None:
    """Fold the innermost component into its parent as one sortable string. No line of it holds a line end."""
    begin, *lines = open_components.pop()
    if begin != "BEGIN:VTIMEZONE":
        lines.sort()
        open_components[-1].append("\n".join((begin, *lines, "END")))


def _head(head: str) -> str | None:
    """What stands before the colon, parameters in one order and spelling; None when the line does not count."""
    name, *params = head.split(";")
    return _joined(name, params)


_known_head = lru_cache(maxsize=2048)(_head)  # the same ones come in every body


def _joined(name: str, params: list[str]) -> str | None:
    name = name.upper()
    if name in _IGNORED:
        return None
    return ";".join((name, *sorted(meaning for param in params for meaning in _parameter(param)))) if params else name


def _without_zones(text: str) -> str:
    """The lines without those of whole VTIMEZONEs, which do not count; all bodies in a zone hold the same ones."""
    parts, start = [], 0
    while (at := text.find(_BEGIN_ZONE, start)) >= 0 and (last := text.find(_END_ZONE, at)) >= 0:
        after = last + len(_END_ZONE) - 1  # its line end begins the line after
        if after - at > _MAX_ZONE or not _is_whole(text[at:after]):
            break
        parts.append(text[start:at])
        start = after
    return f"{''.join(parts)}{text[start:]}" if parts else text


@lru_cache(maxsize=256)
def _is_whole(component: str) -> bool:
    """Whether what begins in these lines ends in them, the outermost at their end."""
    depth = 0
    lines = component.split("\n")[1:]
    for number, line in enumerate(lines, 1):
        name = line.partition(":")[0].upper()
        depth += (name == "BEGIN") - (name == "END")
        if depth < 1:
            return number == len(lines)
    return False


def _with_quotes(line: str) -> str | None:
    """A line with quoted parameters in one spelling; None when it does not count."""
    head, _, rest = line.partition('"')
    if ";" in head:
        name, *params = head.split(";")
        value, colon = _unquoted(params, rest)
    else:  # a name with a quote in it
        head, colon, value = line.partition(":")
        name, *params = head.split(";")
    meant = _joined(name, params)
    return None if meant is None else f"{meant}{colon}{value}"


def _unquoted(params: list[str], rest: str) -> tuple[str, str]:
    """Complete ``params``, of which the last was cut at its opening quote; returns the value and the colon before it.

    A separator inside quotes is kept apart from a real one by a control character, which no clean body contains.
    """
    inside = True
    while True:
        piece, quote, rest = rest.partition('"')
        if inside:
            params[-1] += piece.translate(_PROTECTED)
        else:
            outside, colon, value = piece.partition(":")
            first, *more = outside.split(";")
            params[-1] += first
            params.extend(more)
            if colon:
                return value + quote + rest, colon
        if not quote:  # no value at all
            return "", ""
        inside = not inside


_PROTECTED = str.maketrans({",": "\x01", ";": "\x02", ":": "\x03"})


def _parameter(param: str) -> list[str]:
    """A parameter in one spelling; ``TYPE=home,work`` is ``TYPE=home;TYPE=work``."""
    name, equals, value = param.partition("=")
    name = name.upper()
    if name in _UNORDERED:
        return [f"{name}{equals}{word}" for word in value.upper().split(",")]
    return [f"{name}{equals}{value}"]
