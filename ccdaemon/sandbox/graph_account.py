"""Who the account belongs to, its mailbox settings, the zones that Outlook knows, and its OneDrive quota."""

import re
from random import Random

from ccdaemon.sandbox.graph_ids import PERSONAL_TENANT
from ccdaemon.sandbox.graph_odata import Options, pick, read_options
from ccdaemon.sandbox.graph_protocol import ROOT, Call, bad_request
from ccdaemon.sandbox.graph_zones import iana_names, windows_names
from ccdaemon.sandbox.wire import Answer, Json

MAILBOX_ZONES = ("W. Europe Standard Time", "Pacific Standard Time", "Tokyo Standard Time")
QUOTA_STATES = ((0.9, "normal"), (0.99, "nearing"), (0.999, "critical"))
TERABYTE = 1 << 40

_ZONE_STANDARD = re.compile(r"TimeZoneStandard=microsoft\.graph\.timeZoneStandard'(Windows|Iana)'", re.IGNORECASE)


def get_me(call: Call) -> Answer:
    """``/me``: a personal account has no ``mail``."""
    options = read_options(call.request, "user", ("$select",))
    identity = call.identity
    payload: Json = {
        "businessPhones": [],
        "displayName": identity.name,
        "givenName": identity.given_name,
        "jobTitle": None,
        "mail": None if identity.microsoft_tid == PERSONAL_TENANT else identity.microsoft_upn,
        "mobilePhone": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "surname": identity.family_name,
        "userPrincipalName": identity.microsoft_upn,
        "id": identity.microsoft_oid,
    }
    return call.one(*_selected(f"{ROOT}/$metadata#users", "/$entity", payload, options))


def get_mailbox_settings(call: Call) -> Answer:
    """``/me/mailboxSettings``."""
    options = read_options(call.request, "mailboxSettings", ("$select",))
    zone = mailbox_zone(call)
    payload = {
        "timeZone": zone,
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": "user",
        "automaticRepliesSetting": {
            "status": "disabled",
            "externalAudience": "all",
            "internalReplyMessage": "",
            "externalReplyMessage": "",
            "scheduledStartDateTime": {"dateTime": "2026-01-01T08:00:00.0000000", "timeZone": "UTC"},
            "scheduledEndDateTime": {"dateTime": "2026-01-02T08:00:00.0000000", "timeZone": "UTC"},
        },
        "language": {"locale": "en-US", "displayName": "English (United States)"},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": zone},
        },
    }
    context = f"{call.context}/mailboxSettings"
    return call.one(*_selected(context, "", payload, options))


def get_mailbox_zone(call: Call) -> Answer:
    """``/me/mailboxSettings/timeZone``."""
    read_options(call.request, "mailboxSettings", ())
    return call.one(f"{call.context}/mailboxSettings/timeZone", {"value": mailbox_zone(call)})


def get_supported_zones(call: Call, standard: str | None = None) -> Answer:
    """``/me/outlook/supportedTimeZones``, by Windows names or by those that ``standard`` asks for."""
    read_options(call.request, "mailboxSettings", ())
    names = windows_names()
    if standard is not None:
        match = _ZONE_STANDARD.fullmatch(standard)
        if match is None:
            raise bad_request("The time zone standard is invalid.")
        if match[1].lower() == "iana":
            names = iana_names()
    zones: list[bytes | Json] = [{"alias": name, "displayName": name} for name in names]
    return call.many(f"{ROOT}/$metadata#Collection(microsoft.graph.timeZoneInformation)", zones)


def get_drive(call: Call) -> Answer:
    """``/me/drive`` with its quota."""
    options = read_options(call.request, "drive", ("$select",))
    chance = _chance(call, "drive")
    owner = {"user": {"displayName": call.identity.name, "id": call.identity.microsoft_oid}}
    used_share = chance.choice((0.1, 0.5, 0.95))
    used = int(TERABYTE * used_share)
    payload = {
        "createdDateTime": "2024-02-03T04:05:06Z",
        "description": "",
        "id": "b!" + f"{chance.getrandbits(160):040x}",
        "lastModifiedDateTime": "2026-02-03T04:05:06Z",
        "name": "OneDrive",
        "webUrl": "https://contoso-my.sharepoint.com/personal/documents",
        "driveType": "personal" if call.identity.microsoft_tid == PERSONAL_TENANT else "business",
        "createdBy": owner,
        "lastModifiedBy": owner,
        "owner": owner,
        "quota": {
            "deleted": chance.randrange(1 << 20),
            "remaining": TERABYTE - used,
            "state": next((word for share, word in QUOTA_STATES if used_share < share), "exceeded"),
            "total": TERABYTE,
            "used": used,
            "storagePlanInformation": {"upgradeAvailable": False},
        },
    }
    return call.one(*_selected(f"{ROOT}/$metadata#drives", "/$entity", payload, options))


def mailbox_zone(call: Call) -> str:
    """The Windows name of the zone that the mailbox is set to."""
    return _chance(call, "zone").choice(MAILBOX_ZONES)


def _chance(call: Call, use: str) -> Random:
    return call.mailbox.world.chance("graph", call.identity.id, use)


def _selected(context: str, suffix: str, payload: Json, options: Options) -> tuple[str, Json]:
    """Context and payload of what was selected; here, other than at Outlook, an id has to be."""
    if options.select is None:
        return context + suffix, payload
    picked = pick(payload, options.select)
    if "id" not in options.select:
        picked.pop("id", None)
    return f"{context}({','.join(options.select)}){suffix}", picked
