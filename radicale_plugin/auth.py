"""Radicale's log-in, which was done in front of it."""

from collections.abc import Mapping
from typing import Any

from radicale.auth import BaseAuth

from ccdaemon.dav.front.passwords import PERSON_KEY


class Auth(BaseAuth):
    """Radicale's view of the log-in: done already, in front of it (ccdaemon/dav/front/login.py).

    There because Radicale's own way answers 500 to malformed credentials, logs the name that was tried and sleeps in
    the worker after a failure.
    """

    def get_external_login(self, environ: Mapping[str, Any]) -> tuple[str, str]:
        """Who signed in; ("", "") is somebody anonymous, whom rights.py lets see nothing. Never asks for a password."""
        return environ.get(PERSON_KEY, ""), ""

    def _login(self, login: str, _password: str) -> str:
        return login
