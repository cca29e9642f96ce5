"""What a Run tells of: every change of its collection since the Run before it, so that none is told by nobody."""

from dataclasses import replace

from ccdaemon.model import Run
from ccdaemon.store.base import Reader

INTERRUPTED = "with what an interrupted pull had done before it"


def with_interrupted(tx: Reader, run: Run) -> Run:
    """The Run, and in it what a pull that was killed before it had committed: that one left no Run of its own.

    Nothing else moves the revision of a provider's collection without a Run, but for a new version of the codec that
    maps everything while no provider is reached. Not for collections that are kept here only: DAV clients change them.
    """
    assert run.collection_id is not None, "a Run of one collection"
    told_to = tx.told_to(run.collection_id)
    if not told_to or told_to >= run.revision_from:
        return run
    before = [one for one in tx.touched(run.collection_id, told_to) if one.revision <= run.revision_from]
    ended = sum(one.is_deleted and one.added_revision <= told_to for one in before)
    added = sum(not one.is_deleted and one.added_revision > told_to for one in before)
    changed = sum(not one.is_deleted and one.added_revision <= told_to for one in before)
    return replace(
        run,
        revision_from=told_to,
        added=run.added + added,
        changed=run.changed + changed,
        removed=run.removed + ended,
        detail=run.detail or INTERRUPTED,
    )
