"""Google: consent, contacts, calendars and tasks."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ccdaemon.mapping import Codec
from ccdaemon.model import Kind, ProviderName
from ccdaemon.providers.base import ClientCredentials, OAuth, Remote, TokenSource
from ccdaemon.providers.google.calendar import GoogleCalendars
from ccdaemon.providers.google.oauth import GoogleOAuth
from ccdaemon.providers.google.people import GoogleContacts
from ccdaemon.providers.google.tasks import GoogleTasks
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

    def remote(self, kind: Kind, tokens: TokenSource) -> Remote:
        """A Remote for one thread. Raises KeyError for a kind that ``kinds`` does not name."""
        make: dict[Kind, type[GoogleContacts] | type[GoogleCalendars] | type[GoogleTasks]] = {
            Kind.CONTACTS: GoogleContacts,
            Kind.EVENTS: GoogleCalendars,
            Kind.TASKS: GoogleTasks,
        }
        return make[kind](self._transport_factory, tokens, self._codecs[kind])

    def kinds(self) -> tuple[Kind, ...]:
        """All of them."""
        return (Kind.CONTACTS, Kind.EVENTS, Kind.TASKS)
