"""Which member of a Microsoft event stands where in a VEVENT (coverage.py): docs/mapping.md is made of it."""

from ccdaemon.mapping.coverage import Row, Ways

_BOTH, _READ, _KEPT, _NOISE = Ways.BOTH, Ways.READ, Ways.KEPT, Ways.NOISE


def _row(path: str, property_: str, ways: Ways, note: str = "") -> Row:
    return Row(path=path, property=property_, ways=ways, note=note)


COVERAGE: tuple[Row, ...] = (
    _row("id", "", _NOISE, "the item of the store; the UID where there is no other"),
    _row("@odata.etag", "", _NOISE),
    _row("@odata.type", "", _NOISE),
    _row("@odata.context", "", _NOISE),
    _row("changeKey", "", _NOISE, "the version, as in the etag"),
    _row("createdDateTime", "CREATED", _READ),
    _row("lastModifiedDateTime", "LAST-MODIFIED, DTSTAMP", _READ, "fractions of a second are cut"),
    _row("iCalUId", "UID", _READ, "Exchange makes it; a client's own UID takes its place"),
    _row("uid", "UID", _READ, "of an occurrence: that of its series"),
    _row("transactionId", "", _NOISE, "the key under which a client created the event"),
    _row("webLink", "", _NOISE, "a page of Outlook on the web for this very item"),
    _row("type", "RRULE, RECURRENCE-ID", _READ, "single event, series, or occurrence of one"),
    _row("seriesMasterId", "RECURRENCE-ID", _READ, "puts an occurrence into the body of its series"),
    _row("occurrenceId", "RECURRENCE-ID", _READ, "its date, at the time of the series"),
    _row("originalStart", "RECURRENCE-ID", _READ, "rarely told; decides where it is"),
    _row("start", "DTSTART", _BOTH, "fractions of a second are cut"),
    _row("start.timeZone", "DTSTART", _BOTH, "the zone in which it was asked for; see originalStartTimeZone"),
    _row("end", "DTEND", _BOTH, "an event that takes no time has no DTEND"),
    _row("isAllDay", "DTSTART, DTEND", _BOTH, "dates; the zone of their midnights is not kept in the body"),
    _row("originalStartTimeZone", "DTSTART", _BOTH, "its IANA name; written back as Outlook named it"),
    _row("originalEndTimeZone", "DTEND", _BOTH, "its IANA name; written back as Outlook named it"),
    _row("recurrence", "RRULE", _BOTH, "rules without a pattern, RDATE and EXRULE are refused on the way back"),
    _row("recurrence.range.startDate", "", _NOISE, "repeats the start"),
    _row("recurrence.range.recurrenceTimeZone", "RRULE", _BOTH, "the zone in which the last day ends"),
    _row("cancelledOccurrences", "EXDATE", _BOTH, "an EXDATE deletes the occurrence; none can be brought back"),
    _row(
        "exceptionOccurrences", "RECURRENCE-ID", _BOTH, "a VEVENT each; another rule or time of the series drops them"
    ),
    _row("subject", "SUMMARY", _BOTH),
    _row(
        "body", "DESCRIPTION, X-ALT-DESC", _BOTH, "HTML stays as long as its text is not edited; then it is plain text"
    ),
    _row("bodyPreview", "DESCRIPTION", _READ, "its first 255 characters, used only where no body was asked for"),
    _row("location", "LOCATION", _BOTH, "another name of the place drops its address and id"),
    _row("location.address", "X-MICROSOFT-LOCATION", _READ, "LOCATION where the place has no name"),
    _row("location.coordinates", "GEO", _BOTH, "to six digits"),
    _row("location.coordinates.accuracy", "", _KEPT, "how exactly somebody measured"),
    _row("location.coordinates.altitude", "", _KEPT, "GEO has no height"),
    _row("location.coordinates.altitudeAccuracy", "", _KEPT, "how exactly somebody measured"),
    _row("location.locationEmailAddress", "X-MICROSOFT-LOCATION", _READ, "parameter X-EMAIL"),
    _row("location.locationType", "X-MICROSOFT-LOCATION", _READ, "parameter X-TYPE, but for the ordinary one"),
    _row("location.locationUri", "X-MICROSOFT-LOCATION", _READ, "parameter X-URI"),
    _row("location.uniqueId", "", _NOISE, "of the place in Microsoft's own directory"),
    _row("location.uniqueIdType", "", _NOISE, "which directory"),
    _row("locations", "X-MICROSOFT-LOCATION", _READ, "each place of which LOCATION and GEO do not say all"),
    _row("locations[].coordinates.accuracy", "", _KEPT, "how exactly somebody measured"),
    _row("locations[].coordinates.altitude", "", _KEPT, "GEO has no height"),
    _row("locations[].coordinates.altitudeAccuracy", "", _KEPT, "how exactly somebody measured"),
    _row("locations[].uniqueId", "", _NOISE, "of the place in Microsoft's own directory"),
    _row("locations[].uniqueIdType", "", _NOISE, "which directory"),
    _row("showAs", "TRANSP, X-MICROSOFT-CDO-BUSYSTATUS", _BOTH, "TRANSP counts where the two contradict each other"),
    _row("sensitivity", "CLASS, X-CCD-SENSITIVITY", _BOTH, "personal is PRIVATE with a mark"),
    _row("importance", "PRIORITY", _BOTH, "1 and 9; another number of a client is kept in the stash"),
    _row("categories", "CATEGORIES, COLOR", _BOTH, "COLOR where the mailbox tells the colours of its categories"),
    _row("isCancelled", "STATUS", _READ, "CANCELLED; a client cannot cancel, it deletes"),
    _row("isDraft", "X-MICROSOFT-ISDRAFT", _READ),
    _row("isReminderOn", "VALARM", _BOTH),
    _row(
        "reminderMinutesBeforeStart", "VALARM", _BOTH, "one reminder; further alarms of a client are kept in the stash"
    ),
    _row("isOrganizer", "ORGANIZER", _READ, "decides what may be written"),
    _row("organizer", "ORGANIZER", _READ, "X-MICROSOFT-ORGANIZER of an invitation that shows no guests"),
    _row("attendees", "ATTENDEE", _BOTH, "written whole where people join, leave or get another role"),
    _row("attendees[].emailAddress.name", "ATTENDEE", _READ, "CN; of known guests Exchange's own name stays"),
    _row("attendees[].status", "ATTENDEE", _READ, "PARTSTAT, X-RESPONSE-TIME"),
    _row("attendees[].proposedNewTime", "ATTENDEE", _READ, "X-PROPOSED-START, X-PROPOSED-END, in UTC"),
    _row("responseStatus", "ATTENDEE", _BOTH, "a new PARTSTAT of one's own is sent as an answer, with its comment"),
    _row("responseStatus.time", "ATTENDEE", _READ, "X-RESPONSE-TIME"),
    _row("responseRequested", "X-MICROSOFT-RESPONSEREQUESTED", _BOTH, "FALSE; no property otherwise"),
    _row("allowNewTimeProposals", "X-MICROSOFT-DISALLOW-COUNTER", _BOTH, "TRUE where proposals are not wanted"),
    _row("hideAttendees", "X-CCD-ATTENDEES-OMITTED", _READ, "such a list of guests is never written"),
    _row("isOnlineMeeting", "X-MICROSOFT-ONLINEMEETING-PROVIDER", _READ, "its block of text always stays"),
    _row("onlineMeetingProvider", "X-MICROSOFT-ONLINEMEETING-PROVIDER", _READ),
    _row("onlineMeeting", "CONFERENCE", _READ, "every way in; a client's CONFERENCE is kept in the stash"),
    _row("onlineMeeting.joinUrl", "CONFERENCE, X-MICROSOFT-SKYPETEAMSMEETINGURL", _READ),
    _row("onlineMeeting.conferenceId", "X-MICROSOFT-CONFERENCE-ID", _READ),
    _row("onlineMeetingUrl", "CONFERENCE", _READ, "of meetings made before Teams"),
    _row("hasAttachments", "X-MICROSOFT-HASATTACHMENTS", _READ, "ATTACH instead, where attachments were asked for"),
    _row(
        "attachments", "ATTACH, X-MICROSOFT-ATTACHMENT", _READ, "links; of a file its name, its content is not fetched"
    ),
    _row("attachments[].id", "", _NOISE),
    _row("attachments[].@odata.type", "", _NOISE, "file, item or link"),
    _row("attachments[].@odata.mediaContentType", "", _NOISE, "repeats the content type"),
    _row("attachments[].contentBytes", "", _KEPT, "a body holds no files"),
    _row("attachments[].contentId", "", _KEPT, "by which the HTML shows a picture"),
    _row("attachments[].item", "", _KEPT, "a body holds no files"),
    _row("attachments[].isInline", "", _NOISE, "pictures in the HTML are left out"),
    _row("attachments[].lastModifiedDateTime", "", _KEPT, "ATTACH has no date"),
    _row("singleValueExtendedProperties", "UID", _BOTH, "ours: a client's UID, and lines that have no other place"),
    _row("multiValueExtendedProperties", "", _KEPT, "of other programs; never asked for"),
    _row("extensions", "", _KEPT, "of other programs; never asked for"),
    _row("calendar", "", _NOISE, "where it was found"),
    _row("instances", "", _NOISE, "what the rule says"),
    _row("calendar@odata.associationLink", "", _NOISE),
    _row("calendar@odata.navigationLink", "", _NOISE),
)
