"""Put back what a Run did, or what lies in the trash, as a Run of its own that can be undone too.

No provider is asked and none is told: what is put back stays as it is for as long as the provider's side does not move,
and what is taken away stays away for as long (``Base`` with one side None, docs/decisions/0012).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ccdaemon import log
from ccdaemon.errors import BadData, LeaseLost, UnknownName, Unmappable
from ccdaemon.mapping import Codec
from ccdaemon.model import (
    CLOUDS,
    Base,
    BodyIndex,
    Collection,
    Fingerprint,
    Kind,
    Lease,
    Original,
    Outcome,
    ProviderName,
    Run,
)
from ccdaemon.store.base import Draft, Reader, Store, Transaction
from ccdaemon.sync.history import with_interrupted
from ccdaemon.sync.lease import LEASE, leased, of_collection
from ccdaemon.sync.reindex import known_of
from ccdaemon.sync.retention import RETENTION
from ccdaemon.sync.settle import Scene, map_group
from ccdaemon.sync.way_back import Deed, Left, Step, way_back

logger = log.get_logger(__name__)

BATCH = 100  # items in one transaction, so that no other writer waits long


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """What was done, or would be."""

    run: Run | None  # None: nothing was done
    steps: Sequence[Step]
    left: Counter[Left]


Way = Callable[[Reader], tuple[list[Step], Counter[Left]]]
"""What to do, found out while nobody else works on the collection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Undoer:
    """What undoing needs; no key and no network."""

    store: Store
    codec: Callable[[ProviderName, Kind], Codec]
    owner: str  # in the leases; unique among processes
    now: Callable[[], datetime]

    def undo(self, run_id: int, *, dry_run: bool = False) -> Undone:
        """Take back what a Run did: what it removed and changed is put back, what it added is taken away. What was
        touched again since stays as it is. ``dry_run``: only say so.

        Raises UnknownName for a Run or collection that there is not, BadData where nothing can be taken back, both with
        the reason; LeaseLost while another process works on the collection.
        """
        with self.store.read() as tx:
            collection_id = self._collection_of(tx, run_id)
            steps, left = _way_of(tx, run_id)
        if dry_run:
            return Undone(run=None, steps=steps, left=left)
        detail = f"took back run {run_id}"
        return self._do(collection_id, lambda tx: _way_of(tx, run_id), undoes=run_id, detail=detail)

    def restore(self, collection_id: int, item_ids: Sequence[int]) -> Undone:
        """Put these items of a collection back from the trash. Raises as ``undo`` does."""

        def way(tx: Reader) -> tuple[list[Step], Counter[Left]]:
            found = [tx.trashed(item_id) for item_id in dict.fromkeys(item_ids)]
            steps = [
                Step(deed=Deed.PUT_BACK, item_id=one.item_id, href=one.href, name=one.index.name)
                for one in found
                if one is not None and one.collection_id == collection_id
            ]
            return steps, +Counter({Left.GONE: len(found) - len(steps)})

        return self._do(collection_id, way, undoes=None, detail="put back from the trash")

    def _collection_of(self, tx: Reader, run_id: int) -> int:
        """Raises what ``undo`` raises."""
        run = _run(tx, run_id)
        if run.collection_id is None:
            raise BadData(f"run {run_id} listed the collections of an account: nothing of it can be taken back")
        if run.revision_from == run.revision_to:
            raise BadData(f"run {run_id} changed nothing")
        if self.now() - run.finished_at > RETENTION:
            raise BadData(f"run {run_id} is older than {RETENTION.days} days: what was before it is no longer kept")
        if tx.collection(run.collection_id) is None:
            raise UnknownName(f"the collection of run {run_id} is no longer there")
        return run.collection_id

    def _do(self, collection_id: int, way: Way, *, undoes: int | None, detail: str) -> Undone:
        started = self.now()
        with leased(self.store, of_collection(collection_id), owner=self.owner, now=self.now) as lease:
            if lease is None:
                raise LeaseLost("another process works on that collection just now: try again in a moment")
            with self.store.read() as tx:
                collection = tx.collection(collection_id)
                account = tx.account(collection.account_id) if collection else None
                steps, left = way(tx)
            if collection is None or account is None:
                raise UnknownName("the collection is no longer there")
            codec = self.codec(account.provider, collection.kind) if account.provider in CLOUDS else None
            work = _Work(store=self.store, lease=lease, collection=collection, codec=codec, now=self.now, left=left)
            work.do(steps)
            run = work.note(started, undoes=undoes, detail=detail) if work.steps else None
        if run is not None:
            logger.info(
                "undone", account=account.ref, collection=collection.id, run=run.id, undoes=undoes, added=run.added,
                changed=run.changed, removed=run.removed, left=work.left.total(),
            )  # fmt: skip
        return Undone(run=run, steps=work.steps, left=work.left)


def _run(tx: Reader, run_id: int) -> Run:
    run = tx.run(run_id)
    if run is None:
        raise UnknownName(f"there is no run {run_id}; `ccdaemon history` shows which there are")
    return run


def _way_of(tx: Reader, run_id: int) -> tuple[list[Step], Counter[Left]]:
    """Raises BadData where nothing is left to take back."""
    run = _run(tx, run_id)
    assert run.collection_id is not None, "looked at before"
    after, upto = run.revision_from, run.revision_to
    touched = tx.touched(run.collection_id, after)
    steps, left = way_back(touched, tx.ended_bodies(run.collection_id, after, upto), after=after, upto=upto)
    if not steps:
        again = tx.undoing(run_id)
        reason = f"run {again} took it back" if again else f"{left.total()} items were changed since or written anew"
        raise BadData(f"nothing of run {run_id} is left to take back: {reason}")
    return steps, left


@dataclass(kw_only=True, slots=True)
class _Work:
    """Steps on one collection under its lease."""

    store: Store
    lease: Lease
    collection: Collection
    codec: Codec | None  # None for what is kept here only: nothing was mapped there
    now: Callable[[], datetime]
    left: Counter[Left]
    steps: list[Step] = field(default_factory=list)  # those that were done and committed

    def do(self, steps: Sequence[Step]) -> None:
        """In their order, some in each transaction. Raises LeaseLost."""
        for start in range(0, len(steps), BATCH):
            with self.store.write() as tx:
                self.lease = tx.keep_lease(self.lease, until=self.now() + LEASE)
                tx.hold(self.collection.id)
                did, left = self._do_some(tx, steps[start : start + BATCH])
            self.steps += did
            self.left.update(left)

    def _do_some(self, tx: Transaction, steps: Sequence[Step]) -> tuple[list[Step], Counter[Left]]:
        """Those that were done, and why others were not."""
        shared = tx.shared(self.collection.id)
        did: list[Step] = []
        left: Counter[Left] = Counter()
        drafts: list[Draft] = []
        for step in steps:
            if step.deed is Deed.TAKE_AWAY:
                why = self._take_away(tx, step)
            else:
                draft = self._draft(tx, step, shared)
                why = draft if isinstance(draft, Left) else self._in_the_way(tx, step, draft, drafts)
                drafts += [draft] if isinstance(draft, Draft) and why is None else []
            if why is None:
                did.append(step)
            else:
                left[why] += 1
        tx.put_many(self.collection.id, drafts, now=self.now(), keeps_earlier=True)
        return did, left

    def _take_away(self, tx: Transaction, step: Step) -> Left | None:
        item = tx.item(self.collection.id, step.href)
        if item is None:
            return Left.GONE
        tx.hide(item.id, remote=item.base.remote if item.base else None, now=self.now())
        return None

    def _draft(self, tx: Reader, step: Step, shared: Sequence[Original]) -> Draft | Left:
        """The item as it is to be."""
        if step.deed is Deed.PUT_BACK:
            gone = tx.trashed(step.item_id)
            if gone is None:
                return Left.GONE
            href, group_id, body, index = gone.href, gone.group_id, gone.body, gone.index
            remote = self._shown(tx, group_id, shared)
        else:
            item = tx.item(self.collection.id, step.href)
            if item is None:
                return Left.GONE
            href, group_id, body, index = item.href, item.group_id, item.body, item.index
            remote = item.base.remote if item.base else None
        if step.ended is not None:
            [body] = [one.body for one in tx.earlier(step.item_id) if one.revision == step.ended]
            index = self._index(body)
        base = Base(local=self.codec.fingerprint(body), remote=remote) if self.codec else None
        search = known_of(body, index.component, now=self.now())
        return Draft(group_id=group_id, href=href, body=body, index=index, base=base, search=search)

    def _in_the_way(self, tx: Reader, step: Step, draft: Draft, others: Sequence[Draft]) -> Left | None:
        """Whether another item has the UID of one that is to live again, or is made of the same originals."""
        if step.deed is not Deed.PUT_BACK:
            return None
        is_taken = (
            tx.uid_exists(self.collection.id, draft.index.uid)
            or tx.item_of_group(self.collection.id, draft.group_id) is not None
            or any(draft.index.uid == other.index.uid or draft.group_id == other.group_id for other in others)
        )
        return Left.IN_THE_WAY if is_taken else None

    def _index(self, body: str) -> BodyIndex:
        assert self.codec is not None, "only pulls keep what was before"
        return self.codec.index(body)

    def _shown(self, tx: Reader, group_id: str, shared: Sequence[Original]) -> Fingerprint | None:
        """What the provider shows of a group whose item is gone; None: nothing, or nothing that can be mapped."""
        if self.codec is None:
            return None
        scene = Scene(
            collection=self.collection, codec=self.codec, shared=shared, quarantined=frozenset(), now=self.now()
        )
        try:
            mapped = map_group(scene, tx.group(self.collection.id, group_id))
        except Unmappable:
            return None
        return mapped.fingerprint if mapped else None

    def note(self, started: datetime, *, undoes: int | None, detail: str) -> Run:
        """What was done as a Run, stored."""
        did = Counter(step.deed for step in self.steps)
        run = Run(
            account_id=self.collection.account_id,
            collection_id=self.collection.id,
            started_at=started,
            finished_at=self.now(),
            outcome=Outcome.DONE,
            full=False,
            added=did[Deed.PUT_BACK],
            changed=did[Deed.CHANGE_BACK],
            removed=did[Deed.TAKE_AWAY],
            detail=detail,
            revision_from=self.collection.revision,
            undoes=undoes,
        )
        with self.store.write() as tx:
            tx.fence(self.lease)
            now_at = tx.collection(self.collection.id)
            if now_at is None:
                raise UnknownName("the collection is no longer there")
            whole = replace(run, revision_to=now_at.revision)
            if self.codec is not None:  # what is kept here only is changed by DAV clients, who leave no Run
                whole = with_interrupted(tx, whole)
            return replace(whole, id=tx.add_run(whole))
