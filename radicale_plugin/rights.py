"""Who may do what: whoever signed in may read, and nobody writes before write-back.

What a path may show is not decided here. The storage finds only what belongs to the person who asks (storage.py), so a
foreign path gets the 404 of one that never existed; a 403 from here would tell the two apart.
"""

from typing import Any

from radicale.rights import BaseRights

READ = "Rr"  # R: folders; r: address books, calendars and what is in them


class Rights(BaseRights):
    """Asked once per object of a listing, hence nothing but a constant."""

    def authorization(self, user: str, *_args: Any, **_kwargs: Any) -> str:
        """``READ``, or nothing for somebody who did not sign in."""
        return READ if user else ""
