"""The sandbox must never be the bottleneck: objects it serves per second, beside parsing the same bytes alone.

Server and client share this process and its interpreter lock, so the figures are a lower bound. First and second pass
are told apart, because the first one writes each object out.
"""

import argparse
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

import requests

from ccdaemon.sandbox.app import Sandbox, Settings
from ccdaemon.sandbox.world import IssuedToken

AUTH = "https://www.googleapis.com/auth/"
FIELDS = "names,emailAddresses,phoneNumbers,addresses,organizations,birthdays,biographies,memberships,metadata,photos"


def token(sandbox: Sandbox, provider: str, audience: str, *scopes: str) -> dict[str, str]:
    """The headers of somebody who may read everything."""
    world = sandbox.world
    person = next(iter(world.identities.values()))
    world.access_tokens[provider] = IssuedToken(
        identity=person,
        provider=provider,
        audience=audience,
        scopes=frozenset(scopes),
        expires_at=world.clock.now() + timedelta(hours=1),
    )
    return {"Authorization": f"Bearer {provider}"}


def window(now: datetime) -> str:
    """As wide as the one whose changes ccdaemon asks for."""
    edges = {"startDateTime": now - timedelta(days=365), "endDateTime": now + timedelta(days=730)}
    return "&".join(f"{name}={edge:%Y-%m-%dT%H:%M:%SZ}" for name, edge in edges.items())


def pages(url: str, first: str, headers: dict[str, str]) -> Iterator[bytes]:
    """Every page of a listing, by nextPageToken or nextLink."""
    session = requests.Session()
    session.headers.update(headers)
    link: str | None = first
    while link is not None:
        body = session.get(f"{url}/{link.removeprefix('https://')}", timeout=120).content
        yield body
        page = json.loads(body)
        more = page.get("nextPageToken")
        link = f"{first}&pageToken={quote(more)}" if more else page.get("@odata.nextLink")


def count(body: bytes) -> int:
    page = json.loads(body)
    return next(len(page[key]) for key in ("connections", "items", "value") if key in page)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=5000)
    arguments.add_argument("--events", type=int, default=5000)
    options = arguments.parse_args()
    settings = Settings(listen="127.0.0.1:0", contacts=options.contacts, events=options.events)
    with Sandbox(settings) as sandbox:
        url = sandbox.start()
        google = token(sandbox, "google", "google", AUTH + "contacts.readonly", AUTH + "calendar.readonly")
        graph = token(sandbox, "microsoft", "https://graph.microsoft.com", "Contacts.Read", "Calendars.Read")
        email = next(iter(sandbox.world.identities.values())).google_email
        listings = {
            "google contacts": (
                f"https://people.googleapis.com/v1/people/me/connections?pageSize=1000&personFields={FIELDS}",
                google,
            ),
            "google events": (
                f"https://www.googleapis.com/calendar/v3/calendars/{quote(email)}/events?maxResults=2500",
                google,
            ),
            "microsoft contacts": ("https://graph.microsoft.com/v1.0/me/contacts?$top=500", graph),
            "microsoft events": ("https://graph.microsoft.com/v1.0/me/events?$top=500", graph),
            "microsoft feed": (
                f"https://graph.microsoft.com/v1.0/me/calendarView/delta?{window(sandbox.world.clock.now())}",
                graph | {"Prefer": "odata.maxpagesize=500"},
            ),
        }
        for first, headers in listings.values():
            next(pages(url, first, headers))  # people are filled when they are first looked at
        print(f"{'':<20}{'objects':>9}{'first pass/s':>14}{'second pass/s':>15}{'parsing alone/s':>17}")
        for name, (first, headers) in listings.items():
            rates = []
            for _ in range(2):
                begun = time.perf_counter()
                bodies = list(pages(url, first, headers))
                rates.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            objects = sum(count(body) for body in bodies)
            rates.append(time.perf_counter() - begun)
            print(
                f"{name:<20}{objects:>9}"
                + "".join(f"{objects / s:>{w}.0f}" for s, w in zip(rates, (14, 15, 17), strict=True))
            )


if __name__ == "__main__":
    main()
