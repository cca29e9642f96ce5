"""What spares people typing: the link behind a QR code for DAVx5, and the configuration profile of Apple's systems.

Neither holds the password. Who photographs the screen or finds the file learns no more than the address.
"""

import plistlib
from urllib.parse import SplitResult, urlsplit
from uuid import NAMESPACE_URL, uuid5

from ccdaemon.config import is_loopback
from ccdaemon.errors import BadConfiguration

PORTS = {"https": 443, "http": 80}
QUIET_ZONE = 4  # light modules around the code, as ISO/IEC 18004 wants them
HALVES = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}  # (upper, lower) is dark
WHITE_ON_BLACK = ("\x1b[97;40m", "\x1b[0m")  # whatever the terminal's own colours are

SERVICES = (("com.apple.caldav.account", "CalDAV", "Calendars"), ("com.apple.carddav.account", "CardDAV", "Contacts"))
"""Payload type, what its keys begin with, and what people call it."""


def davx5_link(home_url: str, user: str) -> str:
    """A link that opens DAVx5's log-in with address and user name filled in. Raises BadConfiguration without https.

    ``davx5:`` stands for https and for DAVx5 alone; a ``caldavs:`` link might open any other program.
    Source: LoginActivity of https://github.com/bitfireAT/davx5-ose
    """
    parts = urlsplit(home_url)
    if parts.scheme != "https":
        raise BadConfiguration(
            "a phone needs an https address: put a TLS proxy in front and set dav.public_url to its address"
        )
    return parts._replace(scheme="davx5", netloc=f"{user}@{parts.netloc}").geturl()


def qr_lines(text: str) -> list[str]:
    """The QR code of the text, two rows of modules in each line."""
    import segno

    rows = [[bool(module) for module in row] for row in segno.make_qr(text, error="m").matrix_iter(border=QUIET_ZONE)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    begin, end = WHITE_ON_BLACK
    return [
        begin + "".join(HALVES[pair] for pair in zip(upper, lower, strict=True)) + end
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]


def apple_profile(home_url: str, user: str) -> str:
    """A configuration profile with the CalDAV and the CardDAV account; the system asks for the password.

    The same address and user give the same identifiers: a profile that is installed again replaces the first.
    Raises BadConfiguration for an http address that is not of this machine: the password would travel in clear.
    Source: https://developer.apple.com/documentation/devicemanagement/caldav, …/carddav, …/toplevel
    """
    parts = urlsplit(home_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise BadConfiguration(
            "Apple's programs need an https address: put a TLS proxy in front and set dav.public_url to its address"
        )
    if parts.port == 0:
        raise BadConfiguration("dav.listen leaves the port open: start `ccdaemon run` first, then make the profile")
    identifier = f"ccdaemon.{parts.hostname}.{user}"
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": _uuid(home_url, "profile"),
        "PayloadDisplayName": f"ccdaemon of {user}",
        "PayloadDescription": f"Calendars, reminders and contacts of {user} at {parts.hostname}.",
        "PayloadContent": [
            _account(parts, user, identifier, payload_type, prefix, name) for payload_type, prefix, name in SERVICES
        ],
    }
    return plistlib.dumps(profile).decode()


def _account(
    parts: SplitResult, user: str, identifier: str, payload_type: str, prefix: str, name: str
) -> dict[str, object]:
    return {
        "PayloadType": payload_type,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.{prefix.lower()}",
        "PayloadUUID": _uuid(parts.geturl(), prefix),
        "PayloadDisplayName": f"{name} of {user}",
        f"{prefix}AccountDescription": f"ccdaemon ({user})",
        f"{prefix}HostName": parts.hostname,
        f"{prefix}Port": parts.port or PORTS[parts.scheme],
        f"{prefix}UseSSL": parts.scheme == "https",
        f"{prefix}Username": user,
        f"{prefix}PrincipalURL": parts.path,
    }


def _uuid(url: str, what: str) -> str:
    """One for ever for the same account: what an installed profile is recognised by."""
    return str(uuid5(NAMESPACE_URL, f"{url}#{what}")).upper()
