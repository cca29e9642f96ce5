"""The consent page of both clouds, and the answers that a person, or a test in its place, gives on it.

A test decides in the query: ``sandbox_person=ID``, ``sandbox_scopes=…`` (only these are granted), ``sandbox_deny=1``.
A browser sees a page whose form comes back to the same place with the same parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from ccdaemon.sandbox.switches import Switches
from ccdaemon.sandbox.wire import Answer, Refusal, Request
from ccdaemon.sandbox.world import Identity

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:3em auto;padding:0 1em}"
    "fieldset{border:1px solid #bbb;border-radius:6px;margin:1em 0}small{color:#555}"
    "button{font:inherit;padding:.4em 1.2em;margin-right:.5em}"
)
OWN_PARAMETERS = frozenset({"sandbox_person", "sandbox_scopes", "sandbox_deny"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What the person decided."""

    identity: Identity
    scopes: frozenset[str] | None  # ticked ones; None: all that were asked for
    denied: bool


def decide(request: Request, people: Sequence[Identity], switches: Switches) -> Decision | None:
    """The decision that the request carries, or that is made for a client that is no browser; None: show the page.

    Raises Refusal (400) for a ``sandbox_person`` that does not exist.
    """
    denied = switches.deny or request.one("sandbox_deny") is not None
    named = request.one("sandbox_person")
    identity = _named(named, people) or _named(request.one("login_hint"), people)
    if named and _named(named, people) is None:
        raise Refusal(page("No such person", f"<p>There is no {escape(named)} here.</p>", status=400))
    is_browser = "text/html" in request.headers.get("accept", "")
    if identity is None and is_browser and not denied:
        return None
    ticked = frozenset(scope for value in request.every("sandbox_scopes") for scope in value.split())
    is_ticked = request.one("sandbox_scopes") is not None
    return Decision(identity=identity or people[0], scopes=ticked if is_ticked else None, denied=denied)


def consent_page(request: Request, *, brand: str, people: Sequence[Identity], scopes: Iterable[str]) -> Answer:
    """The page with people to choose, scopes to untick, and a way to say no; its form works below any prefix."""
    kept = [(name, value) for name, value in request.query if name not in OWN_PARAMETERS]
    hidden = [*kept, ("sandbox_scopes", "")]  # present even when nothing is ticked
    inputs = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in hidden)
    choices = "".join(_choice(person, is_first=person is people[0]) for person in people)
    boxes = "".join(_tick_box(scope) for scope in scopes)
    form = (
        f'<p>A program asks for access to an account at the imitated {escape(brand)}.</p><form method="get">{inputs}'
        f"<fieldset><legend>Who are you?</legend>{choices}</fieldset>"
        f"<fieldset><legend>What may it do?</legend>{boxes}</fieldset>"
        '<button>Allow</button><button name="sandbox_deny" value="1">Deny</button></form>'
    )
    return page(f"Sign in to {brand}", form)


def page(title: str, content: str, *, status: int = 200) -> Answer:
    """A plain HTML page; ``content`` is HTML already."""
    text = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{content}"
        "<p><small>This is ccdaemon's sandbox, not the real service.</small></p></body></html>"
    )
    return Answer(status, text.encode(), {"Content-Type": "text/html; charset=UTF-8"})


def redirect(uri: str, parameters: Mapping[str, str | None], *, separator: str | None = None) -> Answer:
    """A 302 to the client with the parameters that are not None; ``separator`` "#" puts them into the fragment."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    joint = separator or ("&" if urlsplit(uri).query else "?")
    return Answer(302, b"", {"Location": f"{uri}{joint}{query}", "Cache-Control": "no-store"})


def posted(uri: str, parameters: Mapping[str, str | None]) -> Answer:
    """``response_mode=form_post``: a page that posts itself to the client."""
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parameters.items()
        if value is not None
    )
    form = f'<form method="post" action="{escape(uri)}">{inputs}<button>Continue</button></form>'
    return page("Working…", f"{form}<script>document.forms[0].submit()</script>")


def _choice(person: Identity, *, is_first: bool) -> str:
    checked = " checked" if is_first else ""
    radio = f'<input type="radio" name="sandbox_person" value="{escape(person.id)}"{checked}>'
    return f"<p><label>{radio} {escape(person.name)}</label></p>"


def _tick_box(scope: str) -> str:
    box = f'<input type="checkbox" name="sandbox_scopes" value="{escape(scope)}" checked>'
    return f"<p><label>{box} {escape(scope)}</label></p>"


def _named(name: str | None, people: Sequence[Identity]) -> Identity | None:
    """By id or address of either cloud."""
    wanted = (name or "").lower()
    for person in people:
        if wanted in {person.id, person.google_email, person.microsoft_upn}:
            return person
    return None
