"""The DAV server in a thread of the test, for clients that are programs of their own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ccdaemon.dav.server import make_wsgi_app, serve
from tests.system.client import PATIENCE
from tests.unit.dav.household import Household


@contextmanager
def served(household: Household) -> Iterator[str]:
    """The URL at which the household is served until the block ends."""
    urls: list[str] = []
    is_ready, stop = threading.Event(), threading.Event()

    def on_ready(url: str) -> None:
        urls.append(url)
        is_ready.set()

    app = make_wsgi_app(household.store, public_url=None, now=household.clock)
    server = threading.Thread(
        target=serve, args=(app, "127.0.0.1:0"), kwargs={"on_ready": on_ready, "stop": stop}, daemon=True
    )
    server.start()
    assert is_ready.wait(PATIENCE)
    yield urls[0]
    stop.set()
    server.join(PATIENCE)
    assert not server.is_alive()
