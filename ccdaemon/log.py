"""Structured logging: one event, one line; account and run as context; secrets never.

JSON where nobody watches, readable text on a terminal, ``<N>`` priority prefixes under the journal. Every library's log
goes through the same pipe, so that one format and one redaction hold for all.
"""

import contextlib
import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any, TextIO, cast

import stamina.instrumentation
import structlog
from stamina.instrumentation import RetryDetails
from structlog.typing import EventDict, Processor, WrappedLogger

from ccdaemon.errors import CcdaemonError

_OURS = ("ccdaemon", "radicale_plugin")
_LIBRARY_LEVELS = {"waitress.queue": logging.ERROR}
"""Libraries may warn, never more: at INFO and DEBUG they print URLs, headers, SQL with its values, paths of requests.
Those named here not even that: waitress warns of every request that has to wait a moment."""

_REDACTED = "[redacted]"
_SENSITIVE = r"token|secret|password|authorization|code_verifier|cookie|assertion|credential|private_key"
_SECRET_KEY = re.compile(_SENSITIVE, re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"ya29\.[\w.-]+"  # Google access token
    r"|1//[\w.-]{10,}"  # Google refresh token
    r"|4/0[\w.-]{10,}"  # Google authorisation code
    r"|GOCSPX-[\w-]{10,}"  # Google client secret
    r"|M\.[CR]\w*[\w.!*$-]{10,}"  # Microsoft refresh token or authorisation code, personal
    r"|[01]\.A[\w.-]{20,}"  # Microsoft refresh token or authorisation code, work
    r"|eyJ[\w-]{8,}\.[\w-]+\.?[\w-]*"  # JWT
    r"|\b[a-z2-9]{4}(?:-[a-z2-9]{4}){6}\b"  # device password
    r"|(?i:bearer|basic)\s+[\w.~+/=-]{8,}"
    # in a query, a form or a fragment; then quoted, in JSON or a dict that somebody printed
    rf"|\b(?i:code|state|device_code|\w*(?:{_SENSITIVE}))=[^&\s\"']+"
    rf"|(?i:(?P<quote>[\"'])(?:code|state|device_code|\w*(?:{_SENSITIVE}))(?P=quote)\s*:\s*[\"'][^\"']+)"
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # end lines, steer terminals
_SERVED_PATH = re.compile(r"(?<= while serving ).*", re.DOTALL)
_JOURNAL_PRIORITY = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}


def set_up(*, service: bool = False, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send every log of this process to ``stream`` (standard error). Called by each command, before anything else.

    A ``service`` logs what it does, as JSON where nobody watches; a command that a person typed logs errors only, in
    text. ``verbose`` adds what ccdaemon itself has to say, and what libraries warn of.
    """
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    handler = _Handler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _explain_exception,
                _omit_served_path,
                _redact_event,
                _renderer(out, service=service),
            ],
        )
    )
    own = logging.DEBUG if verbose else logging.INFO if service else logging.ERROR
    others = logging.WARNING if service or verbose else logging.ERROR
    handler.addFilter(lambda record: record.levelno >= (own if _is_ours(record.name) else others))  # some set their own
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(others)
    for name in _OURS:
        logging.getLogger(name).setLevel(own)
    for name, level in _LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    stamina.instrumentation.set_on_retry_hooks([_log_retry])


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events are words and whose details are keyword arguments."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(name))


def context(**details: Any) -> Any:
    """A ``with`` block in which every log line carries these details (account, collection, run)."""
    return structlog.contextvars.bound_contextvars(**details)


def redact(text: str) -> str:
    """The text without anything that looks like a credential."""
    return _SECRET_VALUE.sub(_REDACTED, text)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in _OURS


def _log_retry(details: RetryDetails) -> None:
    """One line for each retry. (stamina's own hook prints the arguments of what is repeated.)"""
    cause = details.caused_by
    get_logger(__name__).info(
        "asking again",
        cause=str(cause) if isinstance(cause, CcdaemonError) else type(cause).__name__,  # ours begins with the host
        attempt=details.retry_num + 1,
        wait_seconds=round(details.wait_for, 1),
    )


# --- what an event goes through ---------------------------------------------------------------------------------------


def _explain_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An exception by its type and the three innermost places: its text may quote a body, a URL or an address."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        frames = reversed(traceback.extract_tb(error.__traceback__)[-3:])
        places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]
        event["defect"] = " < ".join([type(error).__name__, *places])
    return event


def _omit_served_path(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """waitress writes the path of a request into its messages; a path names a person."""
    if event.get("logger") == "waitress":
        event["event"] = _SERVED_PATH.sub("a request", str(event["event"]))
    return event


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _redacted(key, value) for key, value in event.items()}


def _redacted(key: str, value: object) -> object:
    """The value as numbers, text, lists and dicts, and no credential in any depth of it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_KEY.search(key):
        return _REDACTED
    if isinstance(value, Mapping):
        return {str(name): _redacted(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(key, inner) for inner in value]
    return redact(str(value))


def _renderer(out: TextIO, *, service: bool) -> Processor:
    """What makes one line of an event, fit for who reads ``out``."""
    renderer = _TextRenderer(colors=out.isatty()) if out.isatty() or not service else _JsonRenderer()
    return _JournalRenderer(renderer) if _is_journal(out, os.environ) else renderer


def _is_journal(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether systemd reads ``out``. The variable alone does not tell: whatever a service starts inherits it."""
    try:
        status = os.fstat(out.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _TextRenderer:
    """For people. What a value holds can neither begin a line nor steer the terminal (T-41)."""

    def __init__(self, *, colors: bool) -> None:
        self._renderer = structlog.dev.ConsoleRenderer(colors=colors)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        plain = {key: _escaped(value) if isinstance(value, str) else value for key, value in event.items()}
        return self._renderer(logger, method, plain)


class _JsonRenderer:
    """For programs. What JSON allows in a string but some readers take for the end of a line is escaped too (T-41)."""

    def __init__(self) -> None:
        self._renderer = structlog.processors.JSONRenderer(ensure_ascii=False)

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = str(self._renderer(logger, method, event))
        return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


class _JournalRenderer:
    """Wraps a renderer: the journal reads ``<N>`` as the line's priority."""

    def __init__(self, renderer: Processor) -> None:
        self._renderer = renderer

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        priority = _JOURNAL_PRIORITY.get(str(event.get("level", "info")), 6)
        return f"<{priority}>{self._renderer(logger, method, event)!s}"


def _escaped(text: str) -> str:
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines. One that cannot be made is replaced: the library's own report would quote its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a line is lost, and whose it was; nothing when nobody reads any more."""
        lost = logging.makeLogRecord(
            {
                "name": __name__,
                "levelno": logging.ERROR,
                "levelname": "ERROR",
                "msg": "a line could not be written",
                "where": f"{record.name}:{record.lineno}",
            }
        )
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(self.format(lost) + self.terminator)
