"""Every error that crosses a border inside ccdaemon; the class says what to do next.

A message says what happened to what ("calendar 7: the sync token expired"). It never holds a token, a body or an
address. ``code`` is the stable word shown in ``status`` (contract.md); ``exit_code`` is what a command ends with.
"""

from datetime import timedelta
from typing import ClassVar


class CcdaemonError(Exception):
    """Base of all; on its own it means a defect that nobody foresaw."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 70


# --- what the person who runs ccdaemon has to put right -----------------------------------------------------------


class BadConfiguration(CcdaemonError):
    """A configuration key, the key ring or a file mode is wrong: name it and stop."""

    code = "bad_configuration"
    exit_code = 78


class BadData(CcdaemonError):
    """Something given to us (an argument, a pasted URL, a file) does not mean anything: ask for it again."""

    code = "bad_data"
    exit_code = 65


class Unstorable(BadData):
    """What a DAV client wants to store is no object that its collection can hold: say which condition it breaks."""

    def __init__(self, message: str, *, precondition: str) -> None:
        """``precondition`` is a word of RFC 4791 or RFC 6352 without its namespace: "valid-calendar-data"."""
        super().__init__(message)
        self.precondition = precondition


class UnknownName(CcdaemonError):
    """There is no such person, account, device or collection: say which names there are."""

    code = "unknown_name"
    exit_code = 65


class NotPermitted(CcdaemonError):
    """Refused by a rule of ours or by the provider; trying again changes nothing."""

    code = "no_permission"
    exit_code = 77


class ConsentNeeded(NotPermitted):
    """The grant is gone or never was: a person must enrol the account again. Nothing is deleted meanwhile."""

    code = "consent_needed"


class MissingScope(NotPermitted):
    """The grant is alive but does not cover this service: that collection is degraded, the others go on."""


# --- what the provider answered -----------------------------------------------------------------------------------


class Transient(CcdaemonError):
    """Try again later, not before ``retry_after`` (None: the caller's own back-off decides)."""

    code = "unavailable"
    exit_code = 69

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(Transient):
    """The provider's quota is used up for now."""

    code = "rate_limited"
    exit_code = 75


class NotAsked(Transient):
    """So much failed in a row that nobody was asked this time; the next trial is due after ``retry_after``."""


class BadAnswer(Transient):
    """The answer is not what the provider documents (HTML, cut JSON, a listing without an end): believe none of it."""

    code = "bad_answer"


class ForeignLink(CcdaemonError):
    """A link or redirect leads away from the provider's own hosts. It was not followed; the cursor stays."""

    code = "foreign_link"
    exit_code = 69


class CursorExpired(CcdaemonError):
    """The provider no longer knows the cursor: list everything again, as a new generation."""

    code = "cursor_expired"
    exit_code = 75


class NotFound(CcdaemonError):
    """The provider has no such object (any more)."""

    code = "not_found"
    exit_code = 69


class Stale(CcdaemonError):
    """The object changed since the version that the write names: read it again, then decide."""

    code = "stale"
    exit_code = 75


class Rejected(CcdaemonError):
    """The provider will never take this request as it is: do not repeat it."""

    code = "rejected"
    exit_code = 69


# --- what happened to one item or one unit of work ----------------------------------------------------------------


class Unmappable(CcdaemonError):
    """This group of originals has no body: quarantine the item alone and go on."""

    code = "unmappable"
    exit_code = 65


class Unwritable(CcdaemonError):
    """The provider has no place for this edit or does not allow it: send nothing, keep ours, tell the person why."""

    code = "unwritable"
    exit_code = 65


class LeaseLost(CcdaemonError):
    """Somebody else works on this now: drop what is not committed, say nothing to the provider."""

    code = "lease_lost"
    exit_code = 75


DELETIONS_HELD = "deletions_held"
"""Stable word beside the codes: nothing failed, but too much would go at once, and waits (docs/deletions.md)."""


# --- the store and the vault --------------------------------------------------------------------------------------


class StoreUnavailable(CcdaemonError):
    """The database cannot be used just now (locked too long, connection gone): try the whole transaction again."""

    code = "store_unavailable"
    exit_code = 75


class DiskFull(StoreUnavailable):
    """No space or no permission to write: what was committed stays readable, nothing new is stored."""

    code = "disk_full"
    exit_code = 75


class StoreRefused(CcdaemonError):
    """The database is missing, damaged, newer or older than the program: never replaced, never repaired silently."""

    code = "store_refused"
    exit_code = 78


class VaultRefused(BadConfiguration):
    """The key ring is missing, weak, readable by others or not the one that sealed the vault."""

    code = "vault_refused"


class SealBroken(CcdaemonError):
    """A sealed value does not open under its name: it was moved, cut or changed. The account needs a new consent."""

    code = "vault_error"
    exit_code = 65
