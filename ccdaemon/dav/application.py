"""Radicale's application, set up for our plugins, with its writing, failing and logging held in bounds."""

import functools
import logging
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from radicale import config
from radicale.app import Application
from radicale.app.base import Access
from radicale.httputils import BAD_REQUEST, NOT_ALLOWED, REMOTE_DESTINATION
from radicale.types import WSGIEnviron, WSGIResponse

from ccdaemon.dav.front.finish import Defects
from ccdaemon.dav.guard import MAX_BODY_BYTES
from ccdaemon.dav.visit import MAX_HREF
from ccdaemon.store.base import Store
from radicale_plugin.auth import Auth
from radicale_plugin.rights import Rights, asked_by
from radicale_plugin.storage import Storage

Method = Callable[..., WSGIResponse]

ENDS_OF_PATH = frozenset("?#;")
"""Characters that a name may have; but Radicale decodes a Destination before it splits it."""

log = logging.getLogger("radicale")


class WithoutContent(logging.Filter):
    """Reduces Radicale's log lines to their constant part: the rest quotes paths, names and pieces of bodies."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, without arguments and traceback; drop the status line of a 500, which finish.py explains."""
        if record.args:
            record.msg, record.args = re.sub(r"%[-+ #0]*\d*(\.\d+)?[a-zA-Z]", "…", str(record.msg)), ()
        record.exc_info = record.exc_text = None
        return record.levelno < logging.CRITICAL


WITHOUT_CONTENT = WithoutContent()


def quiet_radicale() -> None:
    """Let Radicale log warnings and worse, without content. (At INFO it writes three lines per request.)"""
    log.setLevel(logging.WARNING)
    log.addFilter(WITHOUT_CONTENT)


class DavApplication(Application):
    """Radicale's own methods; fewer of its surprises."""

    def __init__(self, configuration: config.Configuration, defects: Defects) -> None:
        super().__init__(configuration)
        self._defects = defects
        for name in dir(self):
            if name.startswith("do_"):
                setattr(self, name, self._contained(getattr(self, name)))

    def _contained(self, method: Method) -> Method:
        """``method``, whose exceptions are ours to explain: Radicale would log them with their text."""

        @functools.wraps(method)
        def run(environ: WSGIEnviron, *arguments: Any) -> WSGIResponse:
            try:
                with asked_by(environ["REQUEST_METHOD"]):
                    return method(environ, *arguments)
            except Exception as error:  # noqa: BLE001 - logged and counted there
                answer = self._defects.explain(error, environ["REQUEST_METHOD"])
                return answer.status, answer.headers, answer.body, None

        return run

    def _xml_response(self, xml_content: Element, request_info: dict[str, Any]) -> bytes:
        """The answer with its carriage returns written as references: a parser turns bare CRLF into LF (XML 1.0, 2.11),
        and a body read by REPORT would not be the one that its strong ETag names.
        """
        return super()._xml_response(xml_content, request_info).replace(b"\r", b"&#13;")

    def do_PUT(self, *_: Any) -> WSGIResponse:
        """Refused: what is stored comes through writing.py. vobject would rewrite it, or work on it for hours."""
        return NOT_ALLOWED

    def do_MOVE(self, environ: WSGIEnviron, *arguments: Any) -> WSGIResponse:
        """Ask for the right to write before reading Destination, whose odd forms Radicale answers with 500 and 502.

        Without a header Overwrite that is "T" (RFC 4918 section 10.6).
        """
        _base_prefix, path, user, user_groups, _request_info = arguments
        if not Access(self._rights, user, user_groups, path).check("w"):
            return NOT_ALLOWED
        try:
            target = urlsplit(environ.get("HTTP_DESTINATION", ""))
            is_here = target.hostname in (None, urlsplit(f"//{environ['HTTP_HOST']}").hostname)
        except ValueError:
            return BAD_REQUEST
        if not is_here:
            return REMOTE_DESTINATION
        destination = unquote(target.path)
        name = destination.rpartition("/")[2]
        is_plain = all(" " <= character <= "~" for character in destination)
        if not is_plain or len(name) > MAX_HREF or set(name) & ENDS_OF_PATH:
            return BAD_REQUEST
        # The path alone: behind a proxy the scheme and port of the client's URL are not those of the connection.
        said = {"HTTP_DESTINATION": quote(destination), "HTTP_OVERWRITE": environ.get("HTTP_OVERWRITE", "T")}
        return super().do_MOVE({**environ, **said}, *arguments)


def radicale_on(store: Store, defects: Defects, *, now: Callable[[], datetime]) -> DavApplication:
    """A Radicale on ``store``, for people who have signed in already. Thread-safe; several may live side by side."""
    configuration = config.load()
    storage = Storage(configuration, store, now=now)  # Radicale asks for one twice; both times it must be this
    configuration.update(
        {
            "server": {"delay_on_error": 0, "max_content_length": MAX_BODY_BYTES, "max_resource_size": 5_000_000},
            "auth": {"type": Auth, "delay": 0},
            "rights": {
                "type": lambda of: Rights(of, storage),
                "permit_delete_collection": True,  # of what rights.py lets write
                "permit_overwrite_collection": False,
            },
            "storage": {"type": lambda _: storage},
            "web": {"type": "none"},
            "hook": {"type": "none"},
            "logging": {"level": "warning"},
            # 0: no limit. Any other answers a report with more events than that with 400.
            "reporting": {"max_expand_occurrence": 0},
        },
        "ccdaemon",
        privileged=True,
    )
    return DavApplication(configuration, defects)
