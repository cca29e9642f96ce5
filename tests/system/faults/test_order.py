"""Feeds out of order: old versions of objects that were changed or deleted meanwhile, after the news or instead of it
(F-32, I10).

In one collection of each kind at each cloud, one contact or event is changed and another one deleted.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.system.faults.conftest import FEEDS
from tests.system.faults.scene import Json, Place, Pulled, Scene

pytestmark = pytest.mark.system

PLACES = (
    *("google Contacts", "google ada.lovelace@gmail.example"),
    *("microsoft Contacts", "microsoft Calendar"),
)
AGED, RENEWED, BURIED = "Of old", "Renewed", "Buried"
RENEWAL = {
    ("google", "contacts"): {"names": [{"givenName": RENEWED}]},
    ("google", "events"): {"summary": RENEWED},
    ("microsoft", "contacts"): {"givenName": RENEWED, "displayName": RENEWED},
    ("microsoft", "events"): {"subject": RENEWED},
}
STORED = (
    "SELECT o.payload FROM originals o JOIN collections c ON c.id = o.collection_id"
    " WHERE NOT o.deleted AND c.href = '{href}' AND o.payload LIKE '%{name}%'"
)
BODIES = (
    "SELECT i.body FROM items i JOIN collections c ON c.id = i.collection_id WHERE NOT i.deleted AND c.href = '{href}'"
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A sync whose feeds had the old versions too."""

    pulled: Pulled
    shown: list[int]  # how often each old version came
    shuffled: int  # answers in which it came last
    named: Mapping[str, frozenset[str]]  # which of the names are published, by path segment


@dataclass(frozen=True, kw_only=True)
class Story:
    """Once with the news, once more in the feed after it."""

    hrefs: list[str]
    at_once: Seen
    later: Seen


def stored(scene: Scene, place: Place, name: str) -> Json:
    """The object of that name, as the provider sent it."""
    [(payload,)] = scene.installation.rows(STORED.format(href=place.href, name=name))
    found: Json = json.loads(payload)
    return found


def change(scene: Scene, place: Place, action: str, known: Json, **order: Any) -> None:
    where = {"collection": place.remote_id} if place.kind == "events" else {}
    one = known.get("resourceName") or known["id"]
    scene.cloud.change(place.provider, place.kind.removesuffix("s"), action, id=one, **where, **order)


def sync_with(scene: Scene, plants: Mapping[str, list[Json]]) -> Seen:
    """A sync with one object a page, in which these come after what is new."""
    places = scene.places
    for name, objects in plants.items():
        place = places[name]
        where = place.remote_id if place.kind == "events" else ""  # the one book that its path does not name
        who = {"person": "ada", "provider": place.provider, "kind": place.kind.removesuffix("s")}
        scene.cloud.tell("poison", **who, collection=where, objects=objects, listed_only=True)
    scene.cloud.tell("pages", largest=1)
    scene.cloud.tell("faults", match={"path": FEEDS}, do={"reorder": True})
    pulled = scene.sync()
    [rule], poison = scene.cloud.ask("faults")["faults"], scene.cloud.ask("poison")["poison"]
    for what in ("faults", "poison"):
        scene.cloud.forget(what)
    scene.cloud.tell("pages", largest=None)
    named = {
        places[name].href: frozenset(
            word
            for (body,) in scene.installation.rows(BODIES.format(href=places[name].href))
            for word in (AGED, RENEWED, BURIED)
            if word in body
        )
        for name in plants
    }
    return Seen(pulled=pulled, shown=[one["shown"] for one in poison], shuffled=rule["fired"], named=named)


@pytest.fixture(scope="module")
def story(scene: Scene) -> Story:
    places = [scene.places[name] for name in PLACES]
    for place in places:
        scene.touch(place, AGED)
        scene.touch(place, BURIED)
    assert scene.sync().status == 0
    time.sleep(1)  # Outlook tells in seconds when a contact was changed: within one of them no version is the older one
    plants = {}
    for name, place in zip(PLACES, places, strict=True):
        aged, buried = (stored(scene, place, word) for word in (AGED, BURIED))
        change(scene, place, "update", aged, patch=RENEWAL[place.provider, place.kind])
        change(scene, place, "delete", buried)
        plants[name] = [aged, buried]
    return Story(
        hrefs=[place.href for place in places], at_once=sync_with(scene, plants), later=sync_with(scene, plants)
    )


@pytest.mark.parametrize("when", ["at_once", "later"])
def test_an_old_version_after_the_news_changes_and_revives_nothing(when: str, story: Story) -> None:
    seen: Seen = getattr(story, when)

    assert seen.shown == [1] * 2 * len(PLACES)
    assert seen.shuffled > 0
    assert (seen.pulled.status, seen.pulled.failed) == (0, {})
    assert seen.named == dict.fromkeys(story.hrefs, frozenset({RENEWED}))


def test_after_feeds_out_of_order_all_is_as_in_the_clouds(scene: Scene, story: Story) -> None:
    """No full listing is needed for that."""
    scene.assert_converges()
