"""The property names of the resources that are imitated: the v1.0 CSDL's, and the three that it forgets.

``uid`` and ``occurrenceId`` of an event and ``groupClassId`` of a calendar are answered but not declared.
"""

from collections.abc import Mapping


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ITEM = _names("id createdDateTime lastModifiedDateTime changeKey categories")

PROPERTIES: Mapping[str, frozenset[str]] = {
    "contact": ITEM
    | _names(
        """assistantName birthday businessAddress businessHomePage businessPhones children companyName department
        displayName emailAddresses fileAs generation givenName homeAddress homePhones imAddresses initials jobTitle
        manager middleName mobilePhone nickName officeLocation otherAddress parentFolderId personalNotes
        primaryEmailAddress profession secondaryEmailAddress spouseName surname tertiaryEmailAddress title
        yomiCompanyName yomiGivenName yomiSurname"""
    ),
    "contactFolder": _names("id displayName parentFolderId"),
    "calendar": _names(
        """id allowedOnlineMeetingProviders canEdit canShare canViewPrivateItems changeKey color
        defaultOnlineMeetingProvider groupClassId hexColor isDefaultCalendar isRemovable isTallyingResponses name
        owner"""
    ),
    "event": ITEM
    | _names(
        """allowNewTimeProposals attendees body bodyPreview cancelledOccurrences end exceptionOccurrences
        hasAttachments hideAttendees iCalUId importance isAllDay isCancelled isDraft isOnlineMeeting isOrganizer
        isReminderOn location locations occurrenceId onlineMeeting onlineMeetingProvider onlineMeetingUrl organizer
        originalEndTimeZone originalStart originalStartTimeZone recurrence reminderMinutesBeforeStart
        responseRequested responseStatus sensitivity seriesMasterId showAs start subject transactionId type uid
        webLink"""
    ),
    "todoTaskList": _names("id displayName isOwner isShared wellknownListName"),
    "todoTask": _names(
        """id body bodyLastModifiedDateTime categories completedDateTime createdDateTime dueDateTime hasAttachments
        importance isReminderOn lastModifiedDateTime recurrence reminderDateTime startDateTime status title"""
    ),
    "checklistItem": _names("id checkedDateTime createdDateTime displayName isChecked"),
    "linkedResource": _names("id applicationName displayName externalId webUrl"),
    "user": _names(
        """id businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname
        userPrincipalName"""
    ),
    "drive": _names(
        """id createdBy createdDateTime description driveType lastModifiedBy lastModifiedDateTime name owner quota
        webUrl"""
    ),
    "mailboxSettings": _names(
        """archiveFolder automaticRepliesSetting dateFormat delegateMeetingMessageDeliveryOptions language timeFormat
        timeZone userPurpose workingHours"""
    ),
}

READ_ONLY: Mapping[str, frozenset[str]] = {
    "contact": _names("id changeKey createdDateTime lastModifiedDateTime parentFolderId"),
    "contactFolder": _names("id parentFolderId"),
    "calendar": _names("id changeKey isDefaultCalendar groupClassId"),
    "event": _names(
        """id changeKey createdDateTime lastModifiedDateTime type seriesMasterId occurrenceId uid iCalUId webLink
        bodyPreview originalStart exceptionOccurrences cancelledOccurrences originalStartTimeZone originalEndTimeZone
        hasAttachments"""
    ),
    "todoTaskList": _names("id isOwner isShared wellknownListName"),
    "todoTask": _names("id bodyLastModifiedDateTime createdDateTime hasAttachments lastModifiedDateTime"),
    "checklistItem": _names("id"),
    "linkedResource": _names("id"),
}

CONTACT_NAMES = """fileAs displayName givenName initials middleName nickName surname title yomiGivenName yomiSurname
yomiCompanyName generation""".split()  # noqa: SIM905 - read as a list of words
"""In the order in which a contact shows them."""

CONTACT_WORK = """jobTitle companyName department officeLocation profession businessHomePage assistantName
manager""".split()  # noqa: SIM905 - read as a list of words
"""In the order in which a contact shows them."""
