"""Bring items in line with their groups of originals: map, fingerprint, decide, write.

Works inside one open transaction and never touches the network.
"""

import base64
import hashlib
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ccdaemon import log
from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.mapping.component import Mapped
from ccdaemon.model import Base, Collection, Fingerprint, Item, Kind, Original
from ccdaemon.store.base import Draft, Transaction
from ccdaemon.sync.plan import Step, plan
from ccdaemon.sync.reindex import known_of

logger = log.get_logger(__name__)


class Settlement(StrEnum):
    """What became of one item."""

    UNCHANGED = "unchanged"
    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    QUARANTINED = "quarantined"


class Cause(StrEnum):
    """Why groups are settled: what moved, if anything did."""

    OBJECTS = "objects"  # the provider's objects
    SHARED = "shared"  # what every group of the collection shares
    CODEC = "codec"  # nothing at the provider: another version of the codec maps it


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What settling the groups of one collection needs besides the groups."""

    collection: Collection
    codec: Codec
    shared: Sequence[Original]  # living SHARED originals, as they are to be used (not always as stored)
    quarantined: frozenset[str]  # groups in quarantine when the transaction began
    now: datetime
    cause: Cause = Cause.OBJECTS


@dataclass(frozen=True, kw_only=True, slots=True)
class _Here:
    """What we have of one group."""

    group_id: str
    item: Item | None
    hidden: tuple[int, Base] | None  # the item that a person took away: its id and base

    @property
    def agreed(self) -> tuple[int | None, Base | None]:
        """The row and on what both sides last agreed there."""
        if self.item is not None:
            return self.item.id, self.item.base
        return self.hidden or (None, None)


def settle(tx: Transaction, scene: Scene, groups: Mapping[str, Sequence[Original]]) -> Counter[Settlement]:
    """Settle these groups, given as they are stored. One that cannot be mapped is quarantined alone; what it published
    before stays."""
    group_ids = sorted(groups)
    items = tx.items_of_groups(scene.collection.id, group_ids)
    hidden = tx.hidden(scene.collection.id, [group_id for group_id in group_ids if group_id not in items])
    settlements: Counter[Settlement] = Counter()
    drafts: list[Draft] = []
    for group_id in group_ids:
        try:
            mapped = map_group(scene, groups[group_id])
        except Unmappable as reason:
            settlements[_quarantine(tx, scene, group_id, str(reason))] += 1
            continue
        if group_id in scene.quarantined:
            tx.release(scene.collection.id, group_id)
        here = _Here(group_id=group_id, item=items.get(group_id), hidden=hidden.get(group_id))
        settlements[_settle_one(tx, scene, here, mapped, drafts)] += 1
    tx.put_many(scene.collection.id, drafts, now=scene.now, keeps_earlier=scene.cause is not Cause.CODEC)
    return settlements


def item_href(kind: Kind, group_id: str) -> str:
    """The opaque path segment of a group's item: the same for ever, whatever the provider's id contains."""
    digest = hashlib.sha256(group_id.encode()).digest()
    suffix = ".vcf" if kind is Kind.CONTACTS else ".ics"
    return base64.b32encode(digest[:15]).decode().lower() + suffix


def map_group(scene: Scene, group: Sequence[Original]) -> Mapped | None:
    """The group as an item would be; None when nothing of it is to be published. Raises Unmappable."""
    if not group:
        return None
    try:
        return scene.codec.mapped([*scene.shared, *group])
    except Unmappable:
        raise
    except Exception as defect:  # noqa: BLE001 - a defect of the mapping must cost one item, never the page
        frame = traceback.extract_tb(defect.__traceback__)[-1]  # the message may hold content: it is not logged
        where = f"{frame.name}, line {frame.lineno}"
        logger.error("mapping failed", collection=scene.collection.id, group=group[0].group_id, defect=where)
        raise Unmappable(f"defect in the mapping ({type(defect).__name__} in {where}); please report it") from None


def _settle_one(tx: Transaction, scene: Scene, here: _Here, mapped: Mapped | None, drafts: list[Draft]) -> Settlement:
    """Decide one item; what is to be put is added to ``drafts``, everything else is done at once."""
    row_id, base = here.agreed
    local = base.local if base else None  # DAV cannot change an item before write-back: what was agreed is what is
    remote = mapped.fingerprint if mapped else None
    step = plan(local, remote, base)
    if step is Step.NOTHING:
        return Settlement.UNCHANGED
    if row_id is not None and (step is Step.AGREE or _stays_parted(scene, base, remote)):
        tx.agree(row_id, Base(local=local, remote=remote))
        return Settlement.UNCHANGED
    if mapped is None:
        if here.item is None:
            return Settlement.UNCHANGED
        tx.remove(scene.collection.id, here.item.href, now=scene.now)
        return Settlement.REMOVED
    href = here.item.href if here.item else item_href(scene.collection.kind, here.group_id)
    search = known_of(mapped.body, mapped.index.component, now=scene.now, outline=mapped.outline)
    agreed = Base(local=remote, remote=remote)
    drafts.append(
        Draft(group_id=here.group_id, href=href, body=mapped.body, index=mapped.index, base=agreed, search=search)
    )
    return Settlement.CHANGED if here.item else Settlement.ADDED


def _stays_parted(scene: Scene, base: Base | None, remote: Fingerprint | None) -> bool:
    """Whether what a person put back or took away stays so: the object itself did not move, only how it looks."""
    has_moved = scene.cause is Cause.OBJECTS or base is None or base.remote is None or remote is None
    return not has_moved and base is not None and base.local != base.remote


def _quarantine(tx: Transaction, scene: Scene, group_id: str, reason: str) -> Settlement:
    tx.quarantine(scene.collection.id, group_id, reason, scene.now)
    if group_id in scene.quarantined:
        return Settlement.UNCHANGED
    logger.warning("object quarantined", collection=scene.collection.id, group=group_id, reason=reason)
    return Settlement.QUARANTINED
