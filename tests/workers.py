"""Which worker of xdist runs what: one more than there are processors, for the tests that mostly wait.

Daemons whose disk is full, whose server is down or whose clock has jumped are waited for: what happens is a matter of
their pauses. While one worker runs those tests, the others keep the processors busy. Nobody shares a processor with
two others for that: the worker that waits takes about a third of one.
"""

from typing import Any

from xdist.scheduler import LoadScopeScheduling

WAITING = (
    "tests/system/crash/",
    "tests/system/test_daemon.py",
    "tests/unit/test_daemon.py",
    "tests/unit/dav/test_dav_prefork.py",
)
"""Where tests take several times as long as the processor works for them."""


class OneWaits(LoadScopeScheduling):
    """Whole modules to each worker; the last worker gets those that wait, and the others get them when it is late."""

    def schedule(self) -> None:
        """Begin, once all workers know the tests."""
        if self.collection is None:
            self._waiter = self.nodes[-1]
        super().schedule()

    def _assign_work_unit(self, node: Any) -> None:
        fitting = [scope for scope in self.workqueue if scope.startswith(WAITING) == (node is self._waiter)]
        if fitting:
            self.workqueue.move_to_end(fitting[0], last=False)
        super()._assign_work_unit(node)

    def _reschedule(self, node: Any) -> None:
        is_done = node is self._waiter and not any(scope.startswith(WAITING) for scope in self.workqueue)
        if is_done and not node.shutting_down:
            node.shutdown()  # it ends when it has run what it has
        else:
            super()._reschedule(node)
