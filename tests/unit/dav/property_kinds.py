"""Kinds of properties that calendars and contacts of real clients have, each in an object of its own.

More than the 86 of which stock Radicale loses thirteen: it cuts unknown lists at their first comma, drops photos that
are data: URLs, escapes what is no text, and refuses periods.
"""

from collections.abc import Mapping

EVENT_LINES: Mapping[str, str] = {
    "SUMMARY with commas, semicolons and backslashes": r"SUMMARY:One\, two\; three \\ four",
    "SUMMARY with a language": "SUMMARY;LANGUAGE=de-CH:Grüezi mitenand",
    "SUMMARY in emoji and right to left": "SUMMARY:👩‍👩‍👧 שלום",
    "DESCRIPTION of several lines": r"DESCRIPTION:first\nsecond\Nthird",
    "DESCRIPTION with an alternative": 'DESCRIPTION;ALTREP="CID:part3.msg@example.org":plain',
    "folded DESCRIPTION": "DESCRIPTION:" + "long " * 14 + "\r\n " + "and longer " * 5,
    "folded within a character": "DESCRIPTION:" + "ä" * 30 + "\r\n " + "ö" * 30,
    "LOCATION": 'LOCATION;ALTREP="http://example.org/room,4":Room 4\\, second floor',
    "GEO": "GEO:47.376887;8.541694",
    "CATEGORIES": "CATEGORIES:WORK,TRAVEL",
    "CATEGORIES with an escaped comma": r"CATEGORIES:one\, and the same,another",
    "RESOURCES": "RESOURCES:PROJECTOR,EASEL",
    "CLASS": "CLASS:CONFIDENTIAL",
    "STATUS": "STATUS:TENTATIVE",
    "TRANSP": "TRANSP:TRANSPARENT",
    "PRIORITY": "PRIORITY:1",
    "SEQUENCE": "SEQUENCE:17",
    "URL": "URL:https://example.org/a,b;c?d=e&f=%20g#h",
    "COMMENT": r"COMMENT:A comment\, with a comma",
    "CONTACT": 'CONTACT;ALTREP="ldap://example.org/o=x,c=CH":Anna Muster\\, Muster AG\\, +41 44 123 45 67',
    "CREATED": "CREATED:19960329T133000Z",
    "LAST-MODIFIED": "LAST-MODIFIED:19960817T133000Z",
    "ATTACH by URL": 'ATTACH;FMTTYPE=application/pdf;FILENAME="a,b.pdf":https://example.org/a,b.pdf',
    "ATTACH within": "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:QSBmZXcgYnl0ZXM=",
    "ATTENDEE with everything": (
        'ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN="Doe, Jane";\r\n'
        ' MEMBER="mailto:a@example.org","mailto:b@example.org";DELEGATED-TO="mailto:c@example.org";\r\n'
        ' SENT-BY="mailto:d@example.org";DIR="ldap://example.com/o=x";EMAIL=jane@example.org:mailto:jane@example.org'
    ),
    "ATTENDEE with carets (RFC 6868)": "ATTENDEE;CN=\"Jane ^'the brain^' Doe^n2nd\":mailto:jane@example.org",
    "ORGANIZER": 'ORGANIZER;CN="Smith, John";SCHEDULE-AGENT=CLIENT;SENT-BY="mailto:s@example.org":mailto:j@example.org',
    "RELATED-TO": "RELATED-TO;RELTYPE=SIBLING:4F1A2B3C-1111-2222-3333-444455556666@example.org",
    "REQUEST-STATUS": "REQUEST-STATUS:3.1;Not a date;DTSTART:never",
    "RRULE": "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=10;WKST=SU",
    "RDATE of times": "RDATE:20260302T090000Z,20260303T090000Z",
    "RDATE of periods": "RDATE;VALUE=PERIOD:20260403T090000Z/20260403T110000Z,20260404T090000Z/PT3H",
    "EXDATE": "RRULE:FREQ=DAILY;COUNT=9\r\nEXDATE:20260303T090000Z,20260304T090000Z",
    "RDATE by zone": "RRULE:FREQ=DAILY;COUNT=3\r\nRDATE;VALUE=DATE-TIME:20260501T090000Z",
    "COLOR (RFC 7986)": "COLOR:turquoise",
    "IMAGE (RFC 7986)": "IMAGE;VALUE=URI;DISPLAY=BADGE,THUMBNAIL;FMTTYPE=image/png:http://example.org/i,1.png",
    "CONFERENCE (RFC 7986)": (
        'CONFERENCE;VALUE=URI;FEATURE=PHONE,MODERATOR;LABEL="Moderator, dial-in":tel:+1-412-555-0123,,,654321'
    ),
    "STYLED-DESCRIPTION (RFC 9073)": "STYLED-DESCRIPTION;VALUE=TEXT;FMTTYPE=text/html:<b>bold\\, and</b>, more; so",
    "STRUCTURED-DATA (RFC 9073)": (
        'STRUCTURED-DATA;FMTTYPE=application/ld+json;SCHEMA="https://schema.org/";VALUE=TEXT:{"a": [1\\,2]\\,"b":\\;}'
    ),
    "CONCEPT (RFC 9253)": "CONCEPT:https://example.org/event-types/arts/music,folk",
    "LINK (RFC 9253)": 'LINK;VALUE=URI;LINKREL="SOURCE";LABEL="a, b":https://example.org/x,y',
    "REFID (RFC 9253)": "REFID:itinerary-2014-11-17",
    "X-APPLE-STRUCTURED-LOCATION": (
        'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-ADDRESS="Bahnhofstrasse 1\\n8001 Zürich, CH";\r\n'
        ' X-APPLE-RADIUS=70.5;X-APPLE-REFERENCEFRAME=1;X-TITLE="HB, Gleis 3":geo:47.378177,8.540192'
    ),
    "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR": "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
    "X-APPLE-TRAVEL-DURATION": "X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M",
    "X-ALT-DESC": "X-ALT-DESC;FMTTYPE=text/html:<html><body>Hello, <i>world</i>; it's &amp; so</body></html>",
    "X-MICROSOFT-CDO-BUSYSTATUS": "X-MICROSOFT-CDO-BUSYSTATUS:OOF",
    "X-MOZ-GENERATION": "X-MOZ-GENERATION:4",
    "X-MOZ-LASTACK": "X-MOZ-LASTACK:20260101T000000Z",
    "X-GOOGLE-CONFERENCE": "X-GOOGLE-CONFERENCE:https://meet.google.com/abc-defg-hij,1",
    "X-EVOLUTION-CALDAV-HREF": "X-EVOLUTION-CALDAV-HREF:http://example.org/a,b.ics",
    "X property that is a list": "X-LIST:a,b;c,d\\,e",
    "X property with parameters": 'X-PARAMS;X-A="b,c";X-D=e,f;X-G="":h',
    "X property in lower case": "x-lower-case:value, and more",
    "grouped X-WR": "X-WR-ALARMUID:0B0E4F26-4F2C-41A2-8B4D-F3DD21D0C9C8",
    "empty DESCRIPTION": "DESCRIPTION:",
    "unknown IANA property": "NON-SMOKING;VALUE=BOOLEAN:TRUE",
    "VALARM that displays": "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Soon\r\nTRIGGER:-PT15M\r\nEND:VALARM",
    "VALARM that mails": (
        "BEGIN:VALARM\r\nACTION:EMAIL\r\nATTENDEE:mailto:j@example.org\r\nSUMMARY:Soon\r\nDESCRIPTION:Very\\, very\r\n"
        "TRIGGER;RELATED=END:-P2D\r\nATTACH;FMTTYPE=application/msword:http://example.org/agenda,1.doc\r\nEND:VALARM"
    ),
    "VALARM at a time, repeated": (
        "BEGIN:VALARM\r\nTRIGGER;VALUE=DATE-TIME:20260302T080000Z\r\nREPEAT:4\r\nDURATION:PT15M\r\nACTION:AUDIO\r\n"
        "ATTACH;VALUE=URI:Basso\r\nEND:VALARM"
    ),
    "VALARM with the extras of RFC 9074": (
        "BEGIN:VALARM\r\nUID:8297C37D-BA2D-4476-91AE-C1EAA364F8E1\r\nTRIGGER:-PT15M\r\nACTION:DISPLAY\r\n"
        "DESCRIPTION:Soon\r\nACKNOWLEDGED:20260302T084500Z\r\nRELATED-TO;RELTYPE=SNOOZE:other\r\nEND:VALARM"
    ),
    "VALARM by place": (
        "BEGIN:VALARM\r\nUID:77D80D14\r\nACTION:DISPLAY\r\nDESCRIPTION:Arrived\r\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z\r\n"
        "PROXIMITY:DEPART\r\nX-APPLE-PROXIMITY:DEPART\r\nX-APPLE-DEFAULT-ALARM:TRUE\r\nEND:VALARM"
    ),
    "PARTICIPANT (RFC 9073)": (
        "BEGIN:PARTICIPANT\r\nUID:p1\r\nPARTICIPANT-TYPE:PERFORMER\r\nSTRUCTURED-DATA;VALUE=URI:http://example.org/a,b.vcf\r\n"
        "END:PARTICIPANT"
    ),
    "VLOCATION (RFC 9073)": (
        "BEGIN:VLOCATION\r\nUID:l1\r\nNAME:The venue, downstairs\r\nLOCATION-TYPE:PARKING,STADIUM\r\nEND:VLOCATION"
    ),
}
"""Beside UID, DTSTAMP and DTSTART of a VEVENT."""

TASK_LINES: Mapping[str, str] = {
    "DUE": "DUE:20260401T170000Z",
    "COMPLETED": "COMPLETED:20260401T170000Z",
    "PERCENT-COMPLETE": "PERCENT-COMPLETE:39",
    "STATUS of a task": "STATUS:IN-PROCESS",
    "DURATION of a task": "DTSTART:20260302T090000Z\r\nDURATION:P15DT5H0M20S",
    "RELATED-TO of a subtask": "RELATED-TO;RELTYPE=PARENT:parent-task",
    "X-APPLE-SORT-ORDER": "X-APPLE-SORT-ORDER:123456",
    "X-OC-HIDESUBTASKS": "X-OC-HIDESUBTASKS:1",
    "ESTIMATED-DURATION (RFC 9253)": "ESTIMATED-DURATION:PT2H",
}
"""Beside UID, DTSTAMP and SUMMARY of a VTODO."""

CARD_LINES: Mapping[str, str] = {
    "NICKNAME list": "NICKNAME:Jim,Jimmie,The\\, one",
    "CATEGORIES of a card": "CATEGORIES:friends,work\\, old",
    "ORG with units": "ORG:Example\\, Inc.;Division, north;Marketing",
    "TITLE and ROLE": "TITLE:Head\\, of all\r\nROLE:Programmer; and more",
    "NOTE of several lines": r"NOTE:first\nsecond\, third",
    "ADR with components": "ADR;TYPE=HOME:Postfach;Hof 2;Weg 1\\, hinten;Zürich;ZH;8001;Schweiz",
    "LABEL": r"LABEL;TYPE=HOME:Anna Muster\, Muster AG\nWeg 1\nCH-8001 Zürich",
    "TEL with types": "TEL;TYPE=CELL,VOICE;TYPE=PREF:+41 44 123 45 67;ext=8",
    "EMAIL": "EMAIL;TYPE=INTERNET;TYPE=HOME:jane@example.org",
    "URL with commas": "URL;TYPE=WORK:https://example.org/a,b;c?x=1,2",
    "IMPP": "IMPP;X-SERVICE-TYPE=Skype;TYPE=pref:skype:jane.doe,x",
    "X-SOCIALPROFILE": "X-SOCIALPROFILE;TYPE=twitter;X-USER=jane:http://twitter.com/jane,doe",
    "X-ABLabel group": "item1.URL:https://example.org/x,y\r\nitem1.X-ABLabel:_$!<HomePage>!$_",
    "X-ABDATE group": "item2.X-ABDATE;TYPE=pref:2010-05-01\r\nitem2.X-ABLabel:_$!<Anniversary>!$_",
    "X-ABRELATEDNAMES": "item3.X-ABRELATEDNAMES:Jim, Joe\r\nitem3.X-ABLabel:_$!<Friend>!$_",
    "X-ABADR": "item4.ADR;TYPE=HOME:;;Weg 1;Zürich;;8001;CH\r\nitem4.X-ABADR:ch",
    "X-ABShowAs": "X-ABShowAs:COMPANY",
    "X-PHONETIC": "X-PHONETIC-FIRST-NAME:Jey,n\r\nX-PHONETIC-LAST-NAME:Dou",
    "BDAY without a year": "BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-02",
    "PHOTO within": "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////",
    "PHOTO by URL": "PHOTO;VALUE=URI:https://example.org/p,1.jpg",
    "PHOTO cut by Apple": "PHOTO;ENCODING=b;TYPE=JPEG;X-ABCROP-RECTANGLE=ABClipRect_1&0&0&96&96&x==:/9j/4AAQ",
    "KEY": "KEY;ENCODING=b;TYPE=PGP:mQENBFvyexample",
    "GEO of a card": "GEO:47.376887;8.541694",
    "REV": "REV:2026-01-01T00:00:00Z",
    "TZ": "TZ:+01:00",
    "SORT-STRING": "SORT-STRING:Doe, J",
    "X list of Evolution": "X-EVOLUTION-FILE-AS:Doe\\, Jane",
    "X property that is a list, in a card": "X-CUSTOM:a,b;c,d",
}
"""Beside UID, FN and N of a vCard 3.0."""

CARD_4_LINES: Mapping[str, str] = {
    "GENDER": "GENDER:O;ask me, please",
    "KIND": "KIND:org",
    "TEL as URI": 'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+1-555-555-5555;ext=5555',
    "PHOTO as data": "PHOTO:data:image/jpeg;base64,MIICajCCAdOgAwIBAgICBEUwDQYJKoZIhvAQEEBQ",
    "RELATED": "RELATED;TYPE=friend:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "RELATED as text": "RELATED;TYPE=co-worker;VALUE=text:Ask Joe, at the desk; mornings only.",
    "MEMBER": "KIND:group\r\nMEMBER:urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af",
    "ANNIVERSARY": "ANNIVERSARY:20090808T1430-0500",
    "BDAY as text": "BDAY;VALUE=text:circa 1800, or so",
    "LANG": "LANG;TYPE=work;PREF=1:en",
    "CLIENTPIDMAP": "CLIENTPIDMAP:1;urn:uuid:53e374d9-337e-4727-8803-a1e9c14e0556\r\nEMAIL;PID=4.1:j@example.org",
    "ALTID": "TITLE;ALTID=1;LANGUAGE=fr:Patron\r\nTITLE;ALTID=1;LANGUAGE=en:Boss",
    "XML": 'XML:<config xmlns="http://config.example">a,b;c</config>',
    "SOUND": "SOUND:CID:part8.20260229T080000@example.org",
    "CALURI and FBURL": "CALURI;MEDIATYPE=text/calendar:ftp://ftp.example.org/a,b.ics\r\nFBURL:http://example.org/fb,1",
    "CALADRURI": "CALADRURI;PREF=1:mailto:janedoe@example.com",
    "GEO as URI": "GEO:geo:37.386013,-122.082932;u=10",
    "ADR with a label": (
        'ADR;GEO="geo:47.3769,8.5417";LABEL="Anna Muster, Muster AG\\nWeg 1":;;Weg 1\\, Hof;Zürich;ZH;8001;Schweiz'
    ),
    "EXPERTISE and HOBBY (RFC 6715)": "EXPERTISE;LEVEL=beginner;INDEX=2:maps, old ones\r\nHOBBY;LEVEL=high:reading",
    "BIRTHPLACE (RFC 6474)": "BIRTHPLACE;VALUE=uri:geo:46.769307,-71.283079",
    "GRAMGENDER and PRONOUNS (RFC 9554)": "GRAMGENDER;LANGUAGE=de:neuter\r\nPRONOUNS;LANGUAGE=en;PREF=1:they/them",
    "SOCIALPROFILE (RFC 9554)": "SOCIALPROFILE;SERVICE-TYPE=Mastodon:https://example.com/@foo,bar",
}
"""Beside UID, FN and N of a vCard 4.0."""


def event_body(uid: str, lines: str) -> str:
    """A VEVENT with these lines."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example Corp.//CalDAV Client//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T090000Z\r\n{lines}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def task_body(uid: str, lines: str) -> str:
    """A VTODO with these lines."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example Corp.//CalDAV Client//EN\r\nBEGIN:VTODO\r\n"
        f"UID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:A task\r\n{lines}\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    )


def card_body(uid: str, lines: str, version: str = "3.0") -> str:
    """A vCard with these lines."""
    return f"BEGIN:VCARD\r\nVERSION:{version}\r\nUID:{uid}\r\nFN:Jane Doe\r\nN:Doe;Jane;;;\r\n{lines}\r\nEND:VCARD\r\n"


BODIES: Mapping[str, tuple[str, str]] = (
    {name: ("calendar", event_body(f"event-{n}", lines)) for n, (name, lines) in enumerate(EVENT_LINES.items())}
    | {name: ("tasks", task_body(f"task-{n}", lines)) for n, (name, lines) in enumerate(TASK_LINES.items())}
    | {name: ("book", card_body(f"card-{n}", lines)) for n, (name, lines) in enumerate(CARD_LINES.items())}
    | {name: ("book", card_body(f"card-4-{n}", lines, "4.0")) for n, (name, lines) in enumerate(CARD_4_LINES.items())}
)
"""Name of the kind -> where it belongs ("calendar", "tasks", "book"), and the whole body."""
