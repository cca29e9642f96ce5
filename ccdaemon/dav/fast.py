"""Which of our own modules answers a request. What none of them recognises goes on to Radicale, unchanged.

They write text straight from the store: no tree of XML, no object for each item, no body parsed that need not be.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from wsgiref.types import WSGIEnvironment

from ccdaemon.dav.answer import Answer, Handler
from ccdaemon.dav.front.xmlscan import METHODS
from ccdaemon.dav.items import preconditions, reading, writing
from ccdaemon.dav.properties import making, principals, propfind, proppatch
from ccdaemon.dav.reports import dispatch
from ccdaemon.dav.visit import Visit, visit
from ccdaemon.store.base import Store

Answering = Callable[[Visit], Answer | None]
"""The answer of one module; None: it is not its to give."""


def fast(inner: Handler, store: Store, now: Callable[[], datetime]) -> Handler:
    """``inner``, which only gets what nobody here answers. ``now`` gives aware UTC."""
    modules = _modules(store, now)

    def handle(environ: WSGIEnvironment) -> Answer:
        asked = modules.get(environ["REQUEST_METHOD"])
        if asked:
            visited = visit(environ, _body(environ))
            for answer in asked:
                if (answered := answer(visited)) is not None:
                    return answered
        return inner(environ)

    return handle


def _modules(store: Store, now: Callable[[], datetime]) -> Mapping[str, Sequence[Answering]]:
    """By method; the first that answers is right."""

    def read(visited: Visit) -> Answer | None:
        return reading.answer(visited, store)

    def make(visited: Visit) -> Answer | None:
        return making.answer(visited, store, now)

    def write(visited: Visit) -> Answer | None:
        return writing.answer(visited, store, now)

    def check(visited: Visit) -> Answer | None:
        return preconditions.answer(visited, store)

    return {
        "GET": (read,),
        "HEAD": (read,),
        "PROPFIND": (lambda visited: propfind.answer(visited, store),),
        "PROPPATCH": (lambda visited: proppatch.answer(visited, store),),
        "REPORT": (
            lambda visited: principals.answer(visited, store),
            lambda visited: dispatch.answer(visited, store, now),
        ),
        "MKCOL": (make,),
        "MKCALENDAR": (make,),
        "PUT": (write,),
        "DELETE": (write, check),
        "MOVE": (check,),
    }


def _body(environ: WSGIEnvironment) -> bytes:
    """The XML of the request. ``xml_checked`` has put it into memory, and it stays there for those behind us."""
    given = environ["wsgi.input"]
    return given.getvalue() if environ["REQUEST_METHOD"] in METHODS and isinstance(given, BytesIO) else b""
