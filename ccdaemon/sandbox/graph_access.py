"""Who may call: bearer tokens, scopes, and four requests at a time per mailbox."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ccdaemon.sandbox.graph_protocol import GraphError
from ccdaemon.sandbox.wire import Request
from ccdaemon.sandbox.world import Identity, World

AUDIENCE = "https://graph.microsoft.com"
CONCURRENT_REQUESTS = 4
RETRY_AFTER_SECONDS = 1

#: What a scope includes besides itself.
BROADER = {
    "User.Read": ("User.ReadWrite", "User.Read.All", "User.ReadWrite.All"),
    "Contacts.Read": ("Contacts.ReadWrite",),
    "Calendars.Read": ("Calendars.ReadWrite",),
    "Tasks.Read": ("Tasks.ReadWrite",),
    "MailboxSettings.Read": ("MailboxSettings.ReadWrite",),
    "Files.Read": ("Files.ReadWrite", "Files.Read.All", "Files.ReadWrite.All"),
}

#: The service behind a scope answers in its own words.
DENIALS = {
    "User.Read": ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    "Files.Read": ("accessDenied", "Access denied"),
}
DENIED = ("ErrorAccessDenied", "Access is denied. Check credentials and try again.")

CHALLENGE = {
    "WWW-Authenticate": 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize",'
    ' client_id="00000003-0000-0000-c000-000000000000"'
}


def authenticated(world: World, request: Request) -> tuple[Identity, frozenset[str]]:
    """Whose token it is and what it may do. Raises GraphError 401."""
    bearer = request.bearer()
    if bearer is None:
        raise _unauthenticated("Access token is empty.")
    token = world.token(bearer)
    if token is None:
        expired = bearer in world.access_tokens
        raise _unauthenticated(
            "Lifetime validation failed, the token is expired."
            if expired
            else "CompactToken parsing failed with error code: 80049217"
        )
    if token.provider != "microsoft" or token.audience != AUDIENCE:
        raise _unauthenticated("Access token validation failure. Invalid audience.")
    return token.identity, token.scopes


def demand(scopes: frozenset[str], needed: str) -> None:
    """Raise GraphError 403 unless the scope, or a broader one, was granted."""
    if scopes.isdisjoint((needed, *BROADER.get(needed, ()))):
        code, message = DENIALS.get(needed, DENIED)
        raise GraphError(403, code, message)


def _unauthenticated(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, CHALLENGE)


class Gate:
    """Counts the requests under way per mailbox and turns the fifth away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: dict[str, int] = {}

    @contextmanager
    def entered(self, identity_id: str) -> Iterator[None]:
        """Be inside; raises GraphError 429 when four others are."""
        with self._lock:
            count = self._under_way.get(identity_id, 0)
            if count >= CONCURRENT_REQUESTS:
                raise GraphError(
                    429,
                    "ApplicationThrottled",
                    "Application is over its MailboxConcurrency limit.",
                    {"Retry-After": str(RETRY_AFTER_SECONDS)},
                )
            self._under_way[identity_id] = count + 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[identity_id] -= 1
