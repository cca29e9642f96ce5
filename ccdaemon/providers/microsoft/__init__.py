"""Microsoft: consent, Outlook contacts and calendars, To Do."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from ccdaemon.mapping import Codec
from ccdaemon.model import Kind, ProviderName
from ccdaemon.providers.base import ClientCredentials, OAuth, Remote, TokenSource
from ccdaemon.providers.microsoft.calendar import DEFAULT_WINDOW, OutlookCalendars, Window
from ccdaemon.providers.microsoft.contacts import OutlookContacts
from ccdaemon.providers.microsoft.oauth import MicrosoftOAuth
from ccdaemon.providers.microsoft.tasks import ToDoLists
from ccdaemon.providers.traffic import Lanes
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
        window: Window = DEFAULT_WINDOW,
    ) -> None:
        self.oauth: OAuth = MicrosoftOAuth(credentials, transport_factory, now)
        self._transport_factory = transport_factory
        self._codecs = codecs
        self._now = now
        self._window = window

    def remote(self, kind: Kind, tokens: TokenSource, lanes: Lanes | None = None) -> Remote:
        """A Remote for one thread. Raises KeyError for a kind that ``kinds`` does not name."""
        transport_factory, codec = partial(self._transport_factory, lanes=lanes), self._codecs[kind]
        if kind is Kind.CONTACTS:
            return OutlookContacts(transport_factory, tokens, codec)
        if kind is Kind.TASKS:
            return ToDoLists(transport_factory, tokens, codec)
        return OutlookCalendars(transport_factory, tokens, codec, now=self._now, window=self._window)

    def kinds(self) -> tuple[Kind, ...]:
        """All of them."""
        return (Kind.CONTACTS, Kind.EVENTS, Kind.TASKS)
