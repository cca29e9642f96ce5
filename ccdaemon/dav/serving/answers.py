"""How answers leave waitress: from the thread that made them, large ones from where they lie, refusals in few words."""

from waitress.task import ErrorTask, WSGITask

from ccdaemon.dav.front.finish import FOR_BROWSERS
from ccdaemon.dav.serving.wire import BAD


class Whole:
    """An answer that is sent from where it lies. In the place of one of waitress's buffers, for reading only."""

    def __init__(self, data: bytes) -> None:
        self._rest = memoryview(data)

    def __len__(self) -> int:
        return len(self._rest)

    def get(self, count: int) -> memoryview:
        """The next bytes, at most ``count``."""
        return self._rest[:count]

    def skip(self, count: int, _allow_prune: bool = False) -> None:
        """Go on by ``count`` bytes."""
        self._rest = self._rest[count:]

    def close(self) -> None:
        """Let go of the answer."""
        self._rest = memoryview(b"")


class Task(WSGITask):  # type: ignore[misc]
    """One request in a thread. Its answer leaves from here: the main loop need not be woken for it first."""

    def set_close_on_finish(self) -> None:
        """Not for want of a length where nothing follows: a client would connect anew after each DELETE and 304."""
        if self.has_body or self.version != "1.1" or "close" in self.request.headers.get("CONNECTION", "").lower():
            super().set_close_on_finish()

    def finish(self) -> None:
        """Whatever is written is sent, as far as the client takes it."""
        super().finish()
        self.channel.send_now()


class Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what is no request. It repeats nothing, and is as safe for browsers as any other."""

    def execute(self) -> None:
        """Write it; the connection is closed afterwards."""
        error = self.request.error
        self.status = f"{error.code} {error.reason}"
        body = f"{error.reason if error.code >= 500 else BAD}\n".encode()
        self.response_headers += [("Content-Type", "text/plain; charset=utf-8"), *FOR_BROWSERS]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.says_goodbye = True
        self.write(body)
