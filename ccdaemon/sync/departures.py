"""What a feed says of objects that are gone, kept until the pull ends: then all of it is decided at once.

Only ids are kept, so that a feed with a hundred thousand tombstones needs no more memory than that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from ccdaemon.model import Held, Original, Part
from ccdaemon.store.base import Reader
from ccdaemon.sync.guard import Claims, Verdict

Kin = Mapping[str, Mapping[str, int]]
"""What ``Reader.kin`` gives: group_id -> remote_id -> version of its living objects."""


@dataclass(kw_only=True, slots=True)
class Told:
    """What one pull was told so far, by the feed and by answers about single objects."""

    living: set[str] = field(default_factory=set)
    dead: dict[str, int] = field(default_factory=dict)  # remote_id -> version of the tombstone, 0: unknown
    risen: set[str] = field(default_factory=set)  # shown alive, in no newer version than the one that ended

    def take(self, originals: Iterable[Original]) -> list[Original]:
        """Note a page; what of it is to be stored now: everything but the ends of objects."""
        kept: list[Original] = []
        for original in originals:
            if original.deleted and original.part is Part.OBJECT:
                self.dead[original.remote_id] = _newer(self.dead.get(original.remote_id), original.version)
                continue
            self.living.add(original.remote_id)
            kept.append(original)
        return kept

    def believe(self, remote_id: str, answer: Original) -> None:
        """What the provider said when it was asked for this one: that counts, whatever was told before."""
        if answer.deleted:
            self.living.discard(remote_id)
            self.dead[remote_id] = answer.version
        else:
            self.dead.pop(remote_id, None)
            self.living.add(remote_id)

    def doubt(self, originals: Sequence[Original], buried: Mapping[str, int]) -> list[Original]:
        """What of a page of a change feed is to be stored now: not yet what ended before (``buried``: with which
        version) and comes again as it was. Its deletion may have been wrong, or an old version comes late.
        """
        risen = {
            original.remote_id
            for original in originals
            if original.remote_id in buried and 0 < original.version <= buried[original.remote_id]
        }
        self.risen |= risen
        return [original for original in originals if original.remote_id not in risen]

    def contested(self, held: Iterable[Held] = ()) -> list[str]:
        """Told to be both, or alive now and gone before (``held``, ``risen``). Order within a feed means nothing, and
        old versions come late (docs/decisions/0005).
        """
        return sorted((self.dead.keys() | {row.remote_id for row in held} | self.risen) & self.living)


def left_over(tx: Reader, collection_id: int, told: Told) -> list[str]:
    """What is left of the groups whose head is dead, and was not told of.

    A series may end without a word of its exceptions, which are no part of anything then.
    """
    kin = tx.kin(collection_id, sorted(told.dead))
    members = (member for group, versions in kin.items() if group in told.dead for member in versions)
    return sorted({*members} - told.dead.keys() - told.living)


def living_rows(held: Sequence[Held], kin: Kin) -> list[Held]:
    """Held rows of objects that still live; a crash may leave others behind."""
    living = {member for versions in kin.values() for member in versions}
    return [row for row in held if row.remote_id in living]


def claims(
    tx: Reader,
    collection_id: int,
    told: Told,
    held: Sequence[Held],
    kin: Kin,
    *,
    new: int,
    full: bool,
    is_bare: Callable[[str, Set[str]], bool],
) -> Claims:
    """What is gone by all that was told. ``kin`` is of everything that is dead or held, ``new`` how many items this
    pull has added: a book of which everything is replaced loses all that it had. ``is_bare`` says of a group of which
    only these objects are left whether it is no item any more.
    """
    versions = {member: version for members in kin.values() for member, version in members.items()}
    gone = {one for one, version in told.dead.items() if one in versions and _is_believed(version, versions[one])}
    if not full:  # the feed does not repeat what is held; what it shows again is not gone
        gone |= {row.remote_id for row in held} - told.living
    return Claims(
        gone=frozenset(gone),
        groups={
            group: _weighty(group, frozenset(members), gone, is_bare)
            for group, members in kin.items()
            if not gone.isdisjoint(members)
        },
        published=frozenset(tx.groups_provided(collection_id, sorted(kin))),
        items=max(tx.count_provided(collection_id) - new, 0),
        full=full,
    )


def _weighty(
    group: str, members: frozenset[str], gone: Set[str], is_bare: Callable[[str, Set[str]], bool]
) -> frozenset[str]:
    """Those of a group's objects that keep its item alive: the cancelled days of a series that ended do not."""
    left = members - gone
    return members & gone if left and is_bare(group, left) else members


def tombstones(claims: Claims, verdict: Verdict, told: Told) -> list[Original]:
    """The ends that are carried out, each with the group that it has in the store."""
    return [
        Original(
            remote_id=remote_id,
            group_id=group,
            part=Part.OBJECT,
            etag="",
            version=told.dead.get(remote_id, 0),
            payload={},
            deleted=True,
        )
        for group, members in claims.groups.items()
        for remote_id in sorted(members & verdict.ended)
    ]


def _newer(known: int | None, seen: int) -> int:
    """Of two tombstones of one object; an unknown version ends any."""
    if known is None:
        return seen
    return 0 if 0 in (known, seen) else max(known, seen)


def _is_believed(version: int, stored: int) -> bool:
    """Whether a tombstone is not of an older object than the one that is stored."""
    return not version or version >= stored
