"""Contact groups as CATEGORIES, both ways.

A person's memberships name groups by id; their names stand in the collection's SHARED original. System groups that a
person can see and choose are categories in English, for ever: formattedName changes with the account's language. The
others (myContacts, all, blocked, chatBuddies) hold nearly everybody or nobody: they never show and are never touched.
"""

from collections.abc import Iterator, Sequence

from ccdaemon.mapping.card_blocks import Card
from ccdaemon.mapping.contentline import split_text
from ccdaemon.mapping.fields import as_text, member, objects, text
from ccdaemon.mapping.google_contacts.sources import is_foreign
from ccdaemon.mapping.group import remembered
from ccdaemon.mapping.merge import Absence
from ccdaemon.mapping.vcard import Property
from ccdaemon.model import Json, Original

_MY_CONTACTS = "contactGroups/myContacts"
_STARRED = "contactGroups/starred"
_SYSTEM_GROUPS = {
    _STARRED: "Starred",
    "contactGroups/friends": "Friends",
    "contactGroups/family": "Family",
    "contactGroups/coworkers": "Coworkers",
}


def group_names(person: Json, shared: Sequence[Original]) -> Iterator[str]:
    """The names of the groups that a person is in and that a person can see."""
    wanted = dict.fromkeys(map(_resource, objects(person, "memberships")))
    own: dict[str, str] = {}
    for original in shared:
        own |= _own_names(original.payload)
    for resource in wanted:
        if resource in _SYSTEM_GROUPS:
            yield _SYSTEM_GROUPS[resource]
        elif resource in own:
            yield own[resource]


@remembered
def _own_names(payload: Json) -> dict[str, str]:
    """The names of the groups in a SHARED payload that show, by resource name."""
    groups = [(text(group, "resourceName"), group) for group in objects(payload, "contactGroups")]
    return {resource: text(group, "name") for resource, group in groups if _shows(resource, group)}


def domain_properties(person: Json) -> list[Property]:
    """Whether the person belongs to the reader's own Workspace domain."""
    listed = [one for one in objects(person, "memberships") if "domainMembership" in one]
    is_in_domain = any(member(one, "domainMembership").get("inViewerDomain") is True for one in listed)
    return [Property("X-GOOGLE-IN-DOMAIN", "TRUE")] if is_in_domain else []


def written_memberships(
    person: Json, shared: Sequence[Original], base: Card, mine: Card, absent: Absence
) -> tuple[list[Json] | None, list[str]]:
    """The new memberships, None where they stay, and the names of the groups that have to be created before.

    Names are compared without regard to case and blanks, as Google does. A group that does not show is kept. Google
    lets nobody into its old groups of friends, family and coworkers: such a name means a group of the owner's.
    """
    before, after = _categories(base), _categories(mine)
    gone = before.keys() - after.keys() if "CATEGORIES" in _keys(mine) or absent.counts("CATEGORIES") else set()
    new = [name for key, name in after.items() if key not in before]
    if not gone and not new:
        return None, []
    visible = list(_visible(shared))
    names = {resource: _key(name) for resource, name in visible}
    own = {_key(name): resource for resource, name in reversed(visible) if resource not in _SYSTEM_GROUPS}
    listed = [one for one in objects(person, "memberships") if _resource(one) and not is_foreign(one)]
    kept = [_writable(one) for one in listed if names.get(_resource(one)) not in gone]
    resources = {_resource(one) for one in kept}
    missing = []
    for name in new:
        resource = _STARRED if _key(name) == _key(_SYSTEM_GROUPS[_STARRED]) else own.get(_key(name))
        if resource is None:
            missing.append(name)
        elif resource not in resources:
            resources.add(resource)
            kept.append(_membership(resource))
    if not kept or not listed:
        kept = [*([] if _MY_CONTACTS in resources else [_membership(_MY_CONTACTS)]), *kept]
    return (None if kept == listed or (not listed and len(kept) == 1) else kept), missing


def _visible(shared: Sequence[Original]) -> Iterator[tuple[str, str]]:
    """Resource and name of every group that shows, the system's first."""
    yield from _SYSTEM_GROUPS.items()
    for original in shared:
        for group in objects(original.payload, "contactGroups"):
            if _shows(resource := text(group, "resourceName"), group):
                yield resource, text(group, "name")


def _shows(resource: str, group: Json) -> bool:
    """Whether it is a group of the owner's own that has a name."""
    is_system = text(group, "groupType") == "SYSTEM_CONTACT_GROUP" or resource in _SYSTEM_GROUPS
    is_deleted = member(group, "metadata").get("deleted") is True
    return not is_system and not is_deleted and bool(resource and text(group, "name"))


def _resource(membership: Json) -> str:
    """The resource name of the group of a membership; "" where it is none of a group."""
    group = member(membership, "contactGroupMembership")
    if found := text(group, "contactGroupResourceName"):
        return found
    number = text(group, "contactGroupId")
    return f"contactGroups/{number}" if number else ""


def _membership(resource: str) -> Json:
    return {"contactGroupMembership": {"contactGroupResourceName": resource}}


def _writable(membership: Json) -> Json:
    """The membership itself where it names its group as the API takes it."""
    named = text(member(membership, "contactGroupMembership"), "contactGroupResourceName")
    return membership if named else _membership(_resource(membership))


def _categories(card: Card) -> dict[str, str]:
    """Every category once, by what it is compared with."""
    found: dict[str, str] = {}
    for line in card.all("CATEGORIES"):
        for said in split_text(line.value):
            if name := as_text(said).strip():
                found.setdefault(_key(name), name)
    return found


def _keys(card: Card) -> set[str]:
    return {line.key for line in card.lines}


def _key(name: str) -> str:
    return "".join(name.split()).casefold()
