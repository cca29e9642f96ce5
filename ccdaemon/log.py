"""Structured logging: one event, one line; account and run as context; secrets never.

JSON where nobody watches, readable text on a terminal, ``<N>`` priority prefixes under the journal. Every library's log
goes through the same pipe, so that one format and one redaction hold for all.
"""

import logging
import os
import re
import sys
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_REDACTED = "[redacted]"
_SECRET_KEY = re.compile(r"token|secret|password|authorization|code_verifier|cookie|assertion", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"ya29\.[\w.-]+"  # Google access token
    r"|1//[\w.-]{10,}"  # Google refresh token
    r"|M\.[CR]\w*[\w.!*$-]{10,}"  # Microsoft refresh token, personal
    r"|0\.A[\w.-]{20,}"  # Microsoft refresh token, work
    r"|eyJ[\w-]{8,}\.[\w-]+\.?[\w-]*"  # JWT
    r"|(?i:bearer|basic)\s+[\w.~+/=-]{8,}"
    r"|(?<=[?&\s])(?:code|state|access_token|refresh_token|client_secret|code_verifier)=[^&\s\"']+"
)
_CHATTY = (  # at DEBUG these print URLs and headers
    "apscheduler", "google", "googleapiclient", "msal", "oauthlib", "radicale", "requests_oauthlib", "urllib3"
)  # fmt: skip
_JOURNAL_PRIORITY = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}


def redact(text: str) -> str:
    """The text without anything that looks like a credential."""
    return _SECRET_VALUE.sub(_REDACTED, text)


def _redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key, value in event.items():
        if _SECRET_KEY.search(key) and isinstance(value, str):
            event[key] = _REDACTED
        elif isinstance(value, str):
            event[key] = redact(value)
    return event


class _JournalRenderer:
    """Wraps a renderer: the journal reads ``<N>`` as the line's priority."""

    def __init__(self, renderer: Processor) -> None:
        self._renderer = renderer

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        priority = _JOURNAL_PRIORITY.get(str(event.get("level", "info")), 6)
        return f"<{priority}>{self._renderer(logger, method, event)!s}"


def set_up(*, service: bool = False, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send every log of this process to ``stream`` (standard error). Called once by each command.

    A ``service`` logs what it does, as JSON where nobody watches; a command that a person typed only warns, in text.
    """
    out = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    renderer: Processor
    if out.isatty() or not service:
        renderer = structlog.dev.ConsoleRenderer(colors=out.isatty())
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    if os.environ.get("JOURNAL_STREAM"):
        renderer = _JournalRenderer(renderer)
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redact_event, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbose else logging.INFO if service else logging.WARNING)
    for name in (
        "urllib3",
        "googleapiclient",
        "google",
        "msal",
        "requests_oauthlib",
        "oauthlib",
        "apscheduler",
        "radicale",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG these print URLs and headers
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events are words and whose details are keyword arguments."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger(name))


def context(**details: Any) -> Any:
    """A ``with`` block in which every log line carries these details (account, collection, run)."""
    return structlog.contextvars.bound_contextvars(**details)
