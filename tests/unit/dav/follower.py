"""A client that mirrors one collection by its sync-tokens, as vdirsyncer and the phones do."""

from dataclasses import dataclass, field

from tests.unit.dav.dav_client import DavClient, Response, xml


@dataclass
class Follower:
    """Knows what it was told, and nothing else."""

    client: DavClient
    url: str
    token: str = ""
    mirror: dict[str, str] = field(default_factory=dict)  # href -> ETag

    def follow(self, limit: int | None = None) -> Response:
        """Ask once, for at most so many changes."""
        most = "" if limit is None else f"<d:limit><d:nresults>{limit}</d:nresults></d:limit>"
        asked = f"<d:sync-token>{self.token}</d:sync-token><d:sync-level>1</d:sync-level>{most}"
        answer = self.client.ask("REPORT", self.url, xml("d:sync-collection", f"{asked}<d:prop><d:getetag/></d:prop>"))
        if answer.status == 207:
            self._take(answer)
        elif b"valid-sync-token" in answer.body:
            self.token, self.mirror = "", {}
        return answer

    def catch_up(self, limit: int | None = None) -> None:
        """Ask until nothing is new."""
        before = None
        while before != self.token:
            before = self.token
            self.follow(limit)

    def _take(self, answer: Response) -> None:
        for href, resource in answer.resources.items():
            if resource.status == 404:
                self.mirror.pop(href, None)
            elif resource.status is None:
                self.mirror[href] = resource.text("d:getetag") or ""
            else:  # a cut answer says so of the collection itself
                assert (href, resource.status) == (self.url, 507)
        self.token = answer.sync_token
