"""Two answers compared by what they mean: order, prefixes and white space between elements say nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from tests.unit.dav.dav_client import Response, clark

Form = tuple[str, str, tuple[tuple[str, str], ...], tuple["Form", ...]]  # name, text, attributes, children


def form(element: Element) -> Form:
    """The element without what means nothing."""
    children = tuple(sorted(form(child) for child in element))
    text = "" if children else element.text or ""
    return element.tag, text, tuple(sorted(element.attrib.items())), children


@dataclass(frozen=True)
class Told:
    """What a multistatus says of one resource."""

    status: int | None = None  # of the resource itself
    found: Mapping[str, Form] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)  # property -> status, where that is not 200
    error: tuple[Form, ...] = ()


@dataclass(frozen=True, order=True)
class Difference:
    """One thing that two answers say differently."""

    about: str  # "status", "sync-token", a Clark name, …
    href: str = ""
    ours: str = ""
    theirs: str = ""


def differences(ours: Response, theirs: Response, *, minimal: bool = False) -> Iterator[Difference]:
    """All of them. ``minimal``: ours was asked to say nothing of properties that are not there (RFC 8144)."""
    if ours.status != theirs.status:
        yield Difference("status", "", str(ours.status), str(theirs.status))
        return
    for header in ("content-type", "etag", "last-modified", "allow", "dav", "location"):
        mine, other = (_plain(answer.headers.get(header, "")) for answer in (ours, theirs))
        if mine != other:
            yield Difference(f"header {header}", "", mine, other)
    if not _is_xml(ours) or not _is_xml(theirs):
        if ours.body != theirs.body:
            yield Difference("body", "", repr(ours.body[:300]), repr(theirs.body[:300]))
    elif ours.xml.tag != clark("d:multistatus") or theirs.xml.tag != clark("d:multistatus"):
        if form(ours.xml) != form(theirs.xml):
            yield Difference("error", "", str(form(ours.xml)), str(form(theirs.xml)))
    else:
        yield from _in_multistatus(ours, theirs, minimal)


def told(response: Response) -> Mapping[str, Told]:
    """By decoded href. A href that is told twice is an error of the server."""
    found: dict[str, Told] = {}
    for element in response.xml.findall(clark("d:response")):
        hrefs = [unquote(href.text or "") for href in element.findall(clark("d:href"))]
        for href in hrefs:
            assert href not in found, f"{href} is told twice"
            found[href] = _told(element)
    return found


def _in_multistatus(ours: Response, theirs: Response, minimal: bool) -> Iterator[Difference]:
    if ours.sync_token != theirs.sync_token:
        yield Difference("sync-token", "", ours.sync_token, theirs.sync_token)
    mine, others = told(ours), told(theirs)
    for href in sorted({*mine, *others}):
        if href not in mine or href not in others:
            yield Difference(
                "resource", href, "told" if href in mine else "absent", "told" if href in others else "absent"
            )
            continue
        one, other = mine[href], others[href]
        if (one.status, one.error) != (other.status, other.error):
            yield Difference("status of resource", href, str(one.status), str(other.status))
        for name in sorted({*one.found, *one.others, *other.found, *other.others}):
            left, right = _say(one, name), _say(other, name)
            if left != right and not (minimal and left == "nothing" and right == "404"):
                yield Difference(name, href, left, right)


def _say(resource: Told, name: str) -> str:
    if name in resource.found:
        return str(resource.found[name])
    return str(resource.others.get(name, "nothing"))


def _told(response: Element) -> Told:
    found: dict[str, Form] = {}
    others: dict[str, int] = {}
    for propstat in response.findall(clark("d:propstat")):
        code = _code(propstat)
        for element in propstat.iterfind(f"{clark('d:prop')}/*"):
            if code == 200:
                found[element.tag] = form(element)
            else:
                others[element.tag] = code or 0
    errors = tuple(form(error) for error in response.findall(clark("d:error")))
    return Told(_code(response), found, others, errors)


def _code(element: Element) -> int | None:
    status = element.findtext(clark("d:status"))
    return int(status.split()[1]) if status else None


def _is_xml(response: Response) -> bool:
    return "xml" in response.headers.get("content-type", "") and bool(response.body)


def _plain(header: str) -> str:
    """The same value written in one way: quotes around a charset and the two names of XML mean nothing."""
    return header.lower().replace('"', "").replace("; ", ";").replace("text/xml", "application/xml")
