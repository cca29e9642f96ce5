"""Microsoft's scopes: which resource each belongs to, and a scope parameter taken apart."""

from collections.abc import Iterable
from dataclasses import dataclass

GRAPH = "https://graph.microsoft.com"
OUTLOOK = "https://outlook.office.com"
OIDC_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
RESOURCE_SCOPES = {
    GRAPH: frozenset(
        {
            *("User.Read", "User.ReadBasic.All", "Contacts.Read", "Contacts.ReadWrite", "People.Read"),
            *("Calendars.Read", "Calendars.ReadBasic", "Calendars.ReadWrite", "Calendars.Read.Shared"),
            *("Tasks.Read", "Tasks.ReadWrite", "Files.Read", "Files.ReadWrite", "Files.Read.All"),
            *("MailboxSettings.Read", "MailboxSettings.ReadWrite", "Mail.Read", "Mail.ReadWrite", "Mail.Send"),
        }
    ),
    OUTLOOK: frozenset({"IMAP.AccessAsUser.All", "POP.AccessAsUser.All", "SMTP.Send"}),
}
CANONICAL = {scope.lower(): (audience, scope) for audience, scopes in RESOURCE_SCOPES.items() for scope in scopes}


@dataclass(frozen=True, slots=True)
class Scopes:
    """A scope parameter taken apart."""

    oidc: frozenset[str]
    resources: dict[str, dict[str, str]]  # audience -> bare name -> as it was written
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, written: Iterable[str]) -> "Scopes":
        """Names are case-insensitive; one without a resource is Graph's."""
        oidc, unknown = set(), []
        resources: dict[str, dict[str, str]] = {}
        for scope in written:
            resource, _, name = scope.rpartition("/")
            audience, bare = CANONICAL.get(name.lower(), ("", ""))
            if scope.lower() in OIDC_SCOPES:
                oidc.add(scope.lower())
            elif audience and (resource == audience or (not resource and audience == GRAPH)):
                resources.setdefault(audience, {})[bare] = scope
            else:
                unknown.append(scope)
        return cls(frozenset(oidc), resources, tuple(unknown))

    def flat(self) -> frozenset[str]:
        """What a consent covers: "https://graph.microsoft.com/User.Read", "openid"."""
        return self.oidc | {f"{audience}/{bare}" for audience, names in self.resources.items() for bare in names}
