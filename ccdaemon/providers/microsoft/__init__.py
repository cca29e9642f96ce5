"""Microsoft: consent, Outlook contacts and calendars, To Do."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ccdaemon.mapping import Codec
from ccdaemon.model import Kind, ProviderName
from ccdaemon.providers.base import ClientCredentials, OAuth, Remote, TokenSource
from ccdaemon.providers.microsoft.calendar import OutlookCalendars
from ccdaemon.providers.microsoft.contacts import OutlookContacts
from ccdaemon.providers.microsoft.oauth import MicrosoftOAuth
from ccdaemon.providers.microsoft.tasks import ToDoLists
from ccdaemon.providers.transport import TransportFactory


class Microsoft:
    """Meets ``providers.base.Provider``."""

    name: ProviderName = ProviderName.MICROSOFT

    def __init__(
        self,
        credentials: ClientCredentials,
        transport_factory: TransportFactory,
        codecs: Mapping[Kind, Codec],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self.oauth: OAuth = MicrosoftOAuth(credentials, transport_factory, now)
        self._transport_factory = transport_factory
        self._codecs = codecs
        self._now = now

    def remote(self, kind: Kind, tokens: TokenSource) -> Remote:
        """A Remote for one thread. Raises KeyError for a kind that ``kinds`` does not name."""
        codec = self._codecs[kind]
        if kind is Kind.CONTACTS:
            return OutlookContacts(self._transport_factory, tokens, codec)
        if kind is Kind.TASKS:
            return ToDoLists(self._transport_factory, tokens, codec)
        return OutlookCalendars(self._transport_factory, tokens, codec, now=self._now)

    def kinds(self) -> tuple[Kind, ...]:
        """All of them."""
        return (Kind.CONTACTS, Kind.EVENTS, Kind.TASKS)
