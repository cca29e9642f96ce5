"""Google: consent, contacts, calendars and tasks."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from ccdaemon.mapping import Codec
from ccdaemon.model import Kind, ProviderName
from ccdaemon.providers.base import ClientCredentials, OAuth, Remote, TokenSource
from ccdaemon.providers.google.calendar import GoogleCalendars
from ccdaemon.providers.google.oauth import GoogleOAuth
from ccdaemon.providers.google.people import GoogleContacts
from ccdaemon.providers.google.tasks import GoogleTasks
from ccdaemon.providers.traffic import Lanes
from ccdaemon.providers.transport import TransportFactory


class Google:
    """Meets ``providers.base.Provider``."""

    name: ProviderName = ProviderName.GOOGLE

    def __init__(
        self,
        credentials: ClientCredentials,
        transport_factory: TransportFactory,
        codecs: Mapping[Kind, Codec],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self.oauth: OAuth = GoogleOAuth(credentials, transport_factory, now)
        self._transport_factory = transport_factory
        self._codecs = codecs
        self._now = now

    def remote(self, kind: Kind, tokens: TokenSource, lanes: Lanes | None = None) -> Remote:
        """A Remote for one thread. Raises KeyError for a kind that ``kinds`` does not name."""
        transport_factory, codec = partial(self._transport_factory, lanes=lanes), self._codecs[kind]
        if kind is Kind.CONTACTS:
            return GoogleContacts(transport_factory, tokens, codec, now=self._now)
        if kind is Kind.TASKS:
            return GoogleTasks(transport_factory, tokens, codec)
        return GoogleCalendars(transport_factory, tokens, codec)

    def kinds(self) -> tuple[Kind, ...]:
        """All of them."""
        return (Kind.CONTACTS, Kind.EVENTS, Kind.TASKS)
