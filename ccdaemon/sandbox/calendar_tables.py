"""Value tables of the Calendar API: scopes, parameters, fields, colours, settings.

Source: calendar.v3 discovery document, revision 20261030.
"""

from datetime import datetime

from ccdaemon.sandbox.google_wire import Parameter

AUTH = "https://www.googleapis.com/auth/calendar"
EVERYTHING = frozenset({AUTH, f"{AUTH}.readonly"})
LIST_SCOPES = EVERYTHING | {f"{AUTH}.calendarlist", f"{AUTH}.calendarlist.readonly"}
CALENDAR_SCOPES = EVERYTHING | {f"{AUTH}.calendars", f"{AUTH}.calendars.readonly"}
EVENT_SCOPES = EVERYTHING | {f"{AUTH}.events", f"{AUTH}.events.readonly"}
SETTING_SCOPES = EVERYTHING | {f"{AUTH}.settings.readonly"}
COLOUR_SCOPES = LIST_SCOPES

ACCESS_ROLES = ("freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner")
"""From weak to strong."""
EVENT_TYPES = frozenset({"birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"})

TEXT = Parameter()
FLAG = Parameter(kind=bool)
TIME = Parameter(kind=datetime)
PAGE_SIZE = Parameter(kind=int, minimum=1)
LIST_PARAMETERS = {
    "maxResults": PAGE_SIZE,
    "minAccessRole": Parameter(values=frozenset(ACCESS_ROLES)),
    "pageToken": TEXT,
    "showDeleted": FLAG,
    "showHidden": FLAG,
    "showOwnOrganizationOnly": FLAG,
    "syncToken": TEXT,
}
EVENT_PARAMETERS = {
    "alwaysIncludeEmail": FLAG,
    "maxAttendees": PAGE_SIZE,
    "timeZone": TEXT,
}
INSTANCES_PARAMETERS = EVENT_PARAMETERS | {
    "maxResults": PAGE_SIZE,
    "originalStart": TEXT,
    "pageToken": TEXT,
    "showDeleted": FLAG,
    "timeMax": TIME,
    "timeMin": TIME,
}
EVENTS_PARAMETERS = EVENT_PARAMETERS | {
    "eventTypes": Parameter(repeated=True, values=EVENT_TYPES),
    "iCalUID": TEXT,
    "maxResults": PAGE_SIZE,
    "orderBy": Parameter(values=frozenset({"startTime", "updated"})),
    "pageToken": TEXT,
    "privateExtendedProperty": Parameter(repeated=True),
    "q": TEXT,
    "sharedExtendedProperty": Parameter(repeated=True),
    "showDeleted": FLAG,
    "showHiddenInvitations": FLAG,
    "singleEvents": FLAG,
    "syncToken": TEXT,
    "timeMax": TIME,
    "timeMin": TIME,
    "updatedMin": TIME,
}
SETTINGS_PARAMETERS = {"maxResults": PAGE_SIZE, "pageToken": TEXT, "syncToken": TEXT}
ILLEGAL_WITH_SYNC_TOKEN = (
    *("iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty"),
    *("timeMin", "timeMax", "updatedMin"),
)
NO_SYNC_TOKEN_AFTER = frozenset(ILLEGAL_WITH_SYNC_TOKEN) - {"timeMin", "timeMax"}
"""A full listing with one of these gets no ``nextSyncToken``."""
MAY_DIFFER_IN_DELTAS = frozenset(
    {*ILLEGAL_WITH_SYNC_TOKEN, "maxResults", "pageToken", "syncToken", "showDeleted", "alwaysIncludeEmail", "timeZone"}
)

ENVELOPE_FIELDS = frozenset({"kind", "etag", "items", "nextPageToken", "nextSyncToken"})
EVENTS_FIELDS = ENVELOPE_FIELDS | {*("summary", "description", "updated", "timeZone", "accessRole", "defaultReminders")}
EVENT_FIELDS = frozenset(
    {
        *("anyoneCanAddSelf", "attachments", "attendees", "attendeesOmitted", "birthdayProperties", "colorId"),
        *("conferenceData", "created", "creator", "description", "end", "endTimeUnspecified", "etag"),
        *("eventLabelId", "eventType", "extendedProperties", "focusTimeProperties", "gadget"),
        *("guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "hangoutLink", "htmlLink"),
        *("iCalUID", "id", "kind", "location", "locked", "organizer", "originalStartTime"),
        *("outOfOfficeProperties", "privateCopy", "recurrence", "recurringEventId", "reminders", "sequence"),
        *("source", "start", "status", "summary", "transparency", "updated", "visibility"),
        "workingLocationProperties",
    }
)
CALENDAR_FIELDS = frozenset(
    {
        *("kind", "etag", "id", "summary", "description", "location", "timeZone", "conferenceProperties"),
        *("autoAcceptInvitations", "dataOwner", "labelProperties", "workingHours"),
    }
)
ENTRY_FIELDS = CALENDAR_FIELDS - {"labelProperties", "workingHours"} | {
    *("accessRole", "backgroundColor", "colorId", "defaultReminders", "deleted", "foregroundColor", "hidden"),
    *("notificationSettings", "primary", "selected", "summaryOverride"),
}
COLOURS_FIELDS = frozenset({"kind", "updated", "calendar", "event"})
SETTING_FIELDS = frozenset({"kind", "etag", "id", "value"})

EVENT_COLOURS = (
    *("#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c", "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1", "#5484ed"),
    *("#51b749", "#dc2127"),
)
"""Backgrounds of colour ids 1, 2, …"""
CALENDAR_COLOURS = (
    *("#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#42d692", "#16a765", "#7bd148"),
    *("#b3dc6c", "#fbe983", "#fad165", "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7", "#9a9cff", "#b99aff"),
    *("#c2c2c2", "#cabdbf", "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2"),
)
FOREGROUND = "#1d1d1d"
SETTINGS = {
    "autoAddHangouts": "true",
    "dateFieldOrder": "DMY",
    "defaultEventLength": "60",
    "format24HourTime": "true",
    "hideInvitations": "false",
    "hideWeekends": "false",
    "locale": "en",
    "remindOnRespondedEventsOnly": "false",
    "showDeclinedEvents": "true",
    "timezone": "Europe/Berlin",
    "useKeyboardShortcuts": "true",
    "weekStart": "1",
}
