"""A DAV client that calls the WSGI application in this process, and reads its multistatus answers."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from wsgiref.types import WSGIApplication
from xml.etree import ElementTree

SHORT = {
    "d": "DAV:",
    "c": "urn:ietf:params:xml:ns:caldav",
    "cr": "urn:ietf:params:xml:ns:carddav",
    "cs": "http://calendarserver.org/ns/",
    "ical": "http://apple.com/ns/ical/",
}
NAMESPACES = " ".join(f'xmlns:{short}="{url}"' for short, url in SHORT.items())


def clark(name: str) -> str:
    """``d:href`` as ElementTree writes it."""
    short, _, local = name.partition(":")
    return f"{{{SHORT[short]}}}{local}"


def xml(root: str, content: str) -> bytes:
    """A request body: ``content`` within ``<root>``, with every namespace declared."""
    return f'<?xml version="1.0" encoding="utf-8"?><{root} {NAMESPACES}>{content}</{root}>'.encode()


def propfind(*names: str) -> bytes:
    return xml("d:propfind", f"<d:prop>{''.join(f'<{name}/>' for name in names)}</d:prop>")


def sync_collection(token: str = "", *names: str) -> bytes:
    props = "".join(f"<{name}/>" for name in names or ("d:getetag",))
    return xml(
        "d:sync-collection",
        f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop>{props}</d:prop>",
    )


def multiget(root: str, data: str, *hrefs: str) -> bytes:
    listed = "".join(f"<d:href>{href}</d:href>" for href in hrefs)
    return xml(root, f"<d:prop><d:getetag/><{data}/></d:prop>{listed}")


def calendar_query(start: str | None = None, end: str | None = None) -> bytes:
    bounds = "".join(f' {name}="{value}"' for name, value in (("start", start), ("end", end)) if value)
    time_range = f"<c:time-range{bounds}/>" if bounds else ""
    return xml(
        "c:calendar-query",
        "<d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'>"
        f"<c:comp-filter name='VEVENT'>{time_range}</c:comp-filter></c:comp-filter></c:filter>",
    )


@dataclass
class Resource:
    """One response element of a multistatus."""

    status: int | None  # of the resource itself; None where its properties have theirs
    found: dict[str, ElementTree.Element]  # properties with status 200, by Clark name
    missing: set[str]

    def text(self, name: str) -> str | None:
        return self.found[clark(name)].text

    def hrefs(self, name: str) -> list[str | None]:
        return [element.text for element in self.found[clark(name)].iter(clark("d:href"))]


@dataclass
class Response:
    """One answer."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    @property
    def resources(self) -> dict[str, Resource]:
        """By decoded href."""
        return {
            unquote(response.findtext(clark("d:href")) or ""): _resource(response)
            for response in self.xml.findall(clark("d:response"))
        }

    @property
    def sync_token(self) -> str:
        return self.xml.findtext(clark("d:sync-token")) or ""


def _code(element: ElementTree.Element) -> int | None:
    status = element.findtext(clark("d:status"))
    return int(status.split()[1]) if status else None


def _resource(response: ElementTree.Element) -> Resource:
    found: dict[str, ElementTree.Element] = {}
    missing: set[str] = set()
    for propstat in response.findall(clark("d:propstat")):
        prop = propstat.find(clark("d:prop"))
        assert prop is not None
        if _code(propstat) == 200:
            found |= {element.tag: element for element in prop}
        else:
            missing |= {element.tag for element in prop}
    return Resource(status=_code(response), found=found, missing=missing)


def basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


class DavClient:
    """Asks as one person; without a name as nobody."""

    def __init__(self, application: WSGIApplication, name: str = "", password: str = "") -> None:
        self.application = application
        self.headers = {"Host": "127.0.0.1:5232"} | ({"Authorization": basic(name, password)} if name else {})

    def ask(
        self, method: str, path: str, body: bytes = b"", *, environ: Mapping[str, Any] | None = None, **headers: str
    ) -> Response:
        """``headers`` by name with underscores; an empty one is not sent."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        request = (
            {
                "REQUEST_METHOD": method,
                "SCRIPT_NAME": "",
                "PATH_INFO": path,
                "REQUEST_URI": path,
                "QUERY_STRING": "",
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "5232",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_LENGTH": str(len(body)) if body else "",
                "wsgi.url_scheme": "http",
                "wsgi.input": BytesIO(body),
                "wsgi.errors": None,
            }
            | {"HTTP_" + name.upper().replace("-", "_"): value for name, value in sent.items() if value}
            | dict(environ or {})
        )

        def start_response(status: str, answered: list[tuple[str, str]], *_: Any) -> Any:
            begun.append((status, answered))

        content = b"".join(self.application(request, start_response))
        status, answered = begun[-1]
        return Response(
            status=int(status.split()[0]), headers={name.lower(): value for name, value in answered}, body=content
        )
