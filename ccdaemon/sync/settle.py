"""Bring items in line with their groups of originals: map, fingerprint, decide, write.

Works inside one open transaction and never touches the network.
"""

import base64
import hashlib
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ccdaemon import log
from ccdaemon.errors import Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.model import Base, BodyIndex, Collection, Fingerprint, Item, Kind, Original
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What settling the groups of one collection needs besides the groups."""

    collection: Collection
    codec: Codec
    shared: Sequence[Original]  # living SHARED originals, as they are to be used (not always as stored)
    quarantined: frozenset[str]  # groups in quarantine when the transaction began
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mapped:
    """What the provider's side of an item looks like."""

    body: str
    fingerprint: Fingerprint
    index: BodyIndex


def settle(tx: Transaction, scene: Scene, group_ids: Sequence[str]) -> Counter[Settlement]:
    """Settle these groups. One that cannot be mapped is quarantined alone; what it published before stays."""
    groups = tx.groups(scene.collection.id, group_ids)
    items = tx.items_of_groups(scene.collection.id, group_ids)
    settlements: Counter[Settlement] = Counter()
    drafts: list[Draft] = []
    for group_id in group_ids:
        try:
            mapped = _map(scene, groups[group_id])
        except Unmappable as reason:
            settlements[_quarantine(tx, scene, group_id, str(reason))] += 1
            continue
        if group_id in scene.quarantined:
            tx.release(scene.collection.id, group_id)
        settlements[_settle_one(tx, scene, group_id, items.get(group_id), mapped, drafts)] += 1
    tx.put_many(scene.collection.id, drafts, now=scene.now)
    return settlements


def item_href(kind: Kind, group_id: str) -> str:
    """The opaque path segment of a group's item: the same for ever, whatever the provider's id contains."""
    digest = hashlib.sha256(group_id.encode()).digest()
    suffix = ".vcf" if kind is Kind.CONTACTS else ".ics"
    return base64.b32encode(digest[:15]).decode().lower() + suffix


def _map(scene: Scene, group: Sequence[Original]) -> _Mapped | None:
    """The group as an item would be; None when nothing of it is to be published. Raises Unmappable."""
    if not group:
        return None
    codec = scene.codec
    try:
        body = codec.to_body([*scene.shared, *group])
        if body is None:
            return None
        return _Mapped(body=body, fingerprint=codec.fingerprint(body), index=codec.index(body))
    except Unmappable:
        raise
    except Exception as defect:  # noqa: BLE001 - a defect of the mapping must cost one item, never the page
        frame = traceback.extract_tb(defect.__traceback__)[-1]  # the message may hold content: it is not logged
        where = f"{frame.name}, line {frame.lineno}"
        logger.error("mapping failed", collection=scene.collection.id, group=group[0].group_id, defect=where)
        raise Unmappable(f"defect in the mapping ({type(defect).__name__} in {where}); please report it") from None


def _settle_one(
    tx: Transaction, scene: Scene, group_id: str, item: Item | None, mapped: _Mapped | None, drafts: list[Draft]
) -> Settlement:
    """Decide one item; what is to be put is added to ``drafts``, everything else is done at once."""
    base = item.base if item else None
    local = base.local if base else None  # DAV cannot change an item before write-back: what was agreed is what is
    step = plan(local, mapped.fingerprint if mapped else None, base)
    if step is Step.NOTHING:
        return Settlement.UNCHANGED
    if mapped is None:
        if item is None:
            return Settlement.UNCHANGED
        tx.remove(scene.collection.id, item.href, now=scene.now)
        return Settlement.REMOVED
    agreed = Base(local=mapped.fingerprint, remote=mapped.fingerprint)
    if step is Step.AGREE and item is not None:
        tx.agree(item.id, agreed)
        return Settlement.UNCHANGED
    href = item.href if item else item_href(scene.collection.kind, group_id)
    search = known_of(mapped.body, mapped.index.component, now=scene.now)
    drafts.append(Draft(group_id=group_id, href=href, body=mapped.body, index=mapped.index, base=agreed, search=search))
    return Settlement.CHANGED if item else Settlement.ADDED


def _quarantine(tx: Transaction, scene: Scene, group_id: str, reason: str) -> Settlement:
    tx.quarantine(scene.collection.id, group_id, reason, scene.now)
    if group_id in scene.quarantined:
        return Settlement.UNCHANGED
    logger.warning("object quarantined", collection=scene.collection.id, group=group_id, reason=reason)
    return Settlement.QUARANTINED
