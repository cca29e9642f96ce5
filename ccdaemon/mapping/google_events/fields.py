"""Every member of a Google Calendar event and where it stands in a body: calendar.v3 discovery document, ``Event``."""

from ccdaemon.mapping.coverage import Row, Ways


def _both(path: str, property: str, note: str = "") -> Row:
    return Row(path=path, property=property, ways=Ways.BOTH, note=note)


def _read(path: str, property: str, note: str = "") -> Row:
    return Row(path=path, property=property, ways=Ways.READ, note=note)


def _kept(path: str, note: str) -> Row:
    return Row(path=path, property="", ways=Ways.KEPT, note=note)


def _noise(path: str, note: str = "") -> Row:
    return Row(path=path, property="", ways=Ways.NOISE, note=note)


COVERAGE: tuple[Row, ...] = (
    # what it is
    _noise("kind"),
    _noise("etag", "the precondition of a write"),
    _read("id", "UID", "only where iCalUID is missing; of a new event it is a hash of the UID"),
    _read("iCalUID", "UID", "of an event that a client of ours created, the client's own UID"),
    _read("recurringEventId", "UID", "puts an occurrence into the body of its series"),
    _read("eventType", "X-GOOGLE-EVENT-TYPE, CATEGORIES", "what the API forbids for a type is refused"),
    _read("htmlLink", "X-GOOGLE-EVENT-LINK"),
    _read("created", "CREATED"),
    _read("updated", "LAST-MODIFIED, DTSTAMP", "fractions of a second are cut"),
    _read("sequence", "SEQUENCE", "Google counts"),
    # texts
    _both("summary", "SUMMARY", "Busy where somebody else's calendar hides it, which is never written"),
    _both("location", "LOCATION", "the place of a working location where there is none"),
    _both("description", "DESCRIPTION, X-ALT-DESC", "HTML stays as long as the text is our rendering of it"),
    # times
    _both("start", "DTSTART", "a floating time is pinned to the calendar's zone, and floats again in the body"),
    _both("end", "DTEND", "one that equals the start is left out"),
    _both("endTimeUnspecified", "DTEND", "true: DTEND is left out, whatever end is sent for old programs"),
    _both("recurrence", "RRULE, EXRULE, RDATE, EXDATE", "lines that did not change keep their spelling"),
    _read("originalStartTime", "RECURRENCE-ID", "in the type and zone of the series"),
    # state
    _both("status", "STATUS", "a cancelled occurrence is an EXDATE; STATUS:CANCELLED of a whole event is refused"),
    _both("transparency", "TRANSP"),
    _both("visibility", "CLASS", "CLASS:PUBLIC becomes default, since many programs write it everywhere"),
    _both("colorId", "COLOR", "the nearest of eleven; the client's own name stays in the stash"),
    _read("eventLabelId", "X-GOOGLE-EVENT-LABEL", "names a label that only the calendar explains"),
    _read("locked", "X-GOOGLE-LOCKED", "then title, text, place and times are refused"),
    _read("privateCopy", "X-GOOGLE-PRIVATE-COPY", "then all but reminders, colour and the like is refused"),
    # people
    _read("organizer", "ORGANIZER", "X-GOOGLE-ORGANIZER where there are no guests and it is somebody else"),
    _noise("organizer.id", "of a profile"),
    _noise("organizer.self", "decides who may write"),
    _read("creator", "X-GOOGLE-CREATOR", "where it is not the organizer"),
    _noise("creator.id", "of a profile"),
    _noise("creator.self", "decides who may write the source"),
    _both("attendees[].email", "ATTENDEE"),
    _both("attendees[].displayName", "ATTENDEE", "CN, written for new guests; X-GOOGLE-GUEST without an address"),
    _both("attendees[].optional", "ATTENDEE", "ROLE"),
    _both("attendees[].resource", "ATTENDEE", "CUTYPE, written for new guests"),
    _both("attendees[].responseStatus", "ATTENDEE", "PARTSTAT; a guest writes the own one alone"),
    _both("attendees[].comment", "ATTENDEE", "X-RESPONSE-COMMENT"),
    _both("attendees[].additionalGuests", "ATTENDEE", "X-NUM-GUESTS"),
    _noise("attendees[].organizer", "ORGANIZER says so; listed twice, written once"),
    _noise("attendees[].id", "of a profile"),
    _noise("attendees[].self", "decides who may write"),
    _noise("attendees[].asyncOperation", "passes"),
    _read("attendeesOmitted", "X-CCD-ATTENDEES-OMITTED", "then only the own answer is written"),
    _read("guestsCanInviteOthers", "X-GOOGLE-GUESTS-CAN-INVITE-OTHERS", "where false"),
    _read("guestsCanModify", "X-GOOGLE-GUESTS-CAN-MODIFY", "where true"),
    _read("guestsCanSeeOtherGuests", "X-GOOGLE-GUESTS-CAN-SEE-OTHER-GUESTS", "where false"),
    _read("anyoneCanAddSelf", "X-GOOGLE-ANYONE-CAN-ADD-SELF", "where true"),
    # reminders
    _both("reminders.useDefault", "VALARM", "the calendar's reminders, marked; of an all-day event the API hides them"),
    _both("reminders.overrides", "VALARM", "at most five before the start by popup or mail, others in the stash"),
    # links
    _both("source.url", "URL", "web pages, by whoever made the event; others in the stash"),
    _read("source.title", "X-GOOGLE-SOURCE-TITLE", "goes when URL changes"),
    _both("attachments", "ATTACH", "at most 25 web addresses, others in the stash"),
    _both("attachments[].mimeType", "ATTACH", "FMTTYPE"),
    _both("attachments[].title", "ATTACH", "FILENAME, written for new ones"),
    _noise("attachments[].fileId", "stands in the address"),
    _noise("attachments[].iconLink", "a picture of the type"),
    # meetings
    _read("hangoutLink", "X-GOOGLE-CONFERENCE, CONFERENCE"),
    _read("conferenceData.entryPoints", "CONFERENCE", "one that is no URI is left out; never written, never removed"),
    _read("conferenceData.conferenceId", "X-GOOGLE-CONFERENCE-ID"),
    _read("conferenceData.conferenceSolution", "X-GOOGLE-CONFERENCE-SOLUTION", "its name, else its type"),
    _noise("conferenceData.conferenceSolution.iconUri", "a picture"),
    _read("conferenceData.notes", "X-GOOGLE-CONFERENCE-NOTES"),
    _read("conferenceData.createRequest", "X-GOOGLE-CONFERENCE-REQUEST", "its state"),
    _noise("conferenceData.createRequest.requestId", "of the request"),
    _noise("conferenceData.createRequest.conferenceSolutionKey", "of the request"),
    _kept("conferenceData.parameters", "settings of an add-on, which only that understands"),
    _noise("conferenceData.signature", "of the server"),
    # events of a type of their own
    _read("birthdayProperties.contact", "X-GOOGLE-BIRTHDAY-CONTACT"),
    _read("birthdayProperties.type", "X-GOOGLE-BIRTHDAY-TYPE"),
    _read("birthdayProperties.customTypeName", "X-GOOGLE-BIRTHDAY-LABEL"),
    _read("focusTimeProperties.autoDeclineMode", "X-GOOGLE-AUTO-DECLINE"),
    _read("focusTimeProperties.declineMessage", "X-GOOGLE-DECLINE-MESSAGE"),
    _read("focusTimeProperties.chatStatus", "X-GOOGLE-CHAT-STATUS"),
    _read("outOfOfficeProperties.autoDeclineMode", "X-GOOGLE-AUTO-DECLINE"),
    _read("outOfOfficeProperties.declineMessage", "X-GOOGLE-DECLINE-MESSAGE"),
    _read("workingLocationProperties.type", "X-GOOGLE-WORKING-LOCATION, LOCATION"),
    _read("workingLocationProperties.homeOffice", "LOCATION", "Home"),
    _read("workingLocationProperties.customLocation.label", "X-GOOGLE-WORKING-LOCATION-LABEL, LOCATION"),
    _read("workingLocationProperties.officeLocation.label", "X-GOOGLE-WORKING-LOCATION-LABEL, LOCATION"),
    _read("workingLocationProperties.officeLocation.buildingId", "X-GOOGLE-BUILDING"),
    _read("workingLocationProperties.officeLocation.floorId", "X-GOOGLE-FLOOR"),
    _read("workingLocationProperties.officeLocation.floorSectionId", "X-GOOGLE-FLOOR-SECTION"),
    _read("workingLocationProperties.officeLocation.deskId", "X-GOOGLE-DESK"),
    # properties of applications
    _both("extendedProperties.private", "X-GOOGLE-EXTENDED-PRIVATE", "but our stash, whose lines come back"),
    _read("extendedProperties.shared", "X-GOOGLE-EXTENDED-SHARED"),
    _read("gadget.title", "X-GOOGLE-GADGET-TITLE", "of birthdays"),
    _read("gadget.type", "X-GOOGLE-GADGET-TYPE"),
    _read("gadget.display", "X-GOOGLE-GADGET-DISPLAY"),
    _read("gadget.link", "X-GOOGLE-GADGET-LINK"),
    _read("gadget.iconLink", "X-GOOGLE-GADGET-ICON"),
    _read("gadget.preferences", "X-GOOGLE-GADGET-PREFERENCE"),
    _noise("gadget.width", "of a picture"),
    _noise("gadget.height", "of a picture"),
)  # fmt: skip
