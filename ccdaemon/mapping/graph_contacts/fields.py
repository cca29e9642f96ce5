"""Every member of a Microsoft contact and where it stands in a card: entity type ``contact`` of the v1.0 CSDL."""

from ccdaemon.mapping.coverage import Row, Ways
from ccdaemon.mapping.graph_contacts.slots import MAIL_NAME

COVERAGE: tuple[Row, ...] = (
    Row(
        path="assistantName",
        property="X-ABRELATEDNAMES",
        ways=Ways.BOTH,
        note="labelled Assistant; a second assistant stays in the stash",
    ),
    Row(
        path="birthday",
        property="BDAY",
        ways=Ways.BOTH,
        note="the date alone, never the hour; year 1604 is none; a birthday in words stays in the stash",
    ),
    Row(
        path="businessAddress",
        property="ADR",
        ways=Ways.BOTH,
        note="TYPE=WORK; post office box, extension and label stay in the stash",
    ),
    Row(
        path="businessHomePage",
        property="URL",
        ways=Ways.BOTH,
        note="TYPE=WORK; further web pages stay in the stash",
    ),
    Row(
        path="businessPhones", property="TEL", ways=Ways.BOTH, note="TYPE=WORK, two; a third and every fax are stashed"
    ),
    Row(path="categories", property="CATEGORIES", ways=Ways.BOTH, note="sorted in the card; the stored order stays"),
    Row(path="changeKey", property="", ways=Ways.NOISE, note="the version of the record"),
    Row(path="children", property="X-ABRELATEDNAMES", ways=Ways.BOTH, note="each labelled Child"),
    Row(path="companyName", property="ORG", ways=Ways.BOTH, note="first part; a second organisation is stashed"),
    Row(path="createdDateTime", property="", ways=Ways.NOISE, note="a moment of the record, not of the person"),
    Row(path="department", property="ORG", ways=Ways.BOTH, note="second part; a third stays in the stash"),
    Row(
        path="displayName",
        property="FN",
        ways=Ways.BOTH,
        note="sent along when a part of the name or the company changes",
    ),
    Row(
        path="emailAddresses[].address",
        property="EMAIL",
        ways=Ways.BOTH,
        note="three in their order, the first preferred; a fourth, TYPE and labels stay in the stash",
    ),
    Row(
        path="emailAddresses[].name",
        property=MAIL_NAME,
        ways=Ways.BOTH,
        note="in the group of its EMAIL, where it is neither the address nor the contact's name; else it follows those",
    ),
    Row(path="extensions", property="", ways=Ways.KEPT, note="data of other applications; never asked for"),
    Row(
        path="fileAs",
        property="X-EVOLUTION-FILE-AS",
        ways=Ways.BOTH,
        note="only where a person chose it; Outlook's own forms of the name follow the name",
    ),
    Row(path="generation", property="N", ways=Ways.BOTH, note="suffix"),
    Row(path="givenName", property="N", ways=Ways.BOTH, note="without any part of a name N shows displayName here"),
    Row(path="homeAddress", property="ADR", ways=Ways.BOTH, note="TYPE=HOME; as businessAddress"),
    Row(path="homePhones", property="TEL", ways=Ways.BOTH, note="TYPE=HOME, two; a third is stashed"),
    Row(path="id", property="UID", ways=Ways.READ, note="the UID is derived from it, unless a client chose one"),
    Row(
        path="imAddresses",
        property="IMPP",
        ways=Ways.BOTH,
        note="three; as an im: URI where the address is none; the service's name stays in the stash",
    ),
    Row(path="initials", property="X-INITIALS", ways=Ways.BOTH),
    Row(path="jobTitle", property="TITLE", ways=Ways.BOTH),
    Row(path="lastModifiedDateTime", property="", ways=Ways.NOISE, note="a moment of the record, not of the person"),
    Row(path="manager", property="X-ABRELATEDNAMES", ways=Ways.BOTH, note="labelled Manager; a second one is stashed"),
    Row(path="middleName", property="N", ways=Ways.BOTH, note="additional names"),
    Row(path="mobilePhone", property="TEL", ways=Ways.BOTH, note="TYPE=CELL, one; a second is stashed"),
    Row(
        path="multiValueExtendedProperties",
        property="",
        ways=Ways.KEPT,
        note="data of other applications; never asked for",
    ),
    Row(path="nickName", property="NICKNAME", ways=Ways.BOTH, note="the first; further ones stay in the stash"),
    Row(path="officeLocation", property="X-OFFICE-LOCATION", ways=Ways.BOTH),
    Row(
        path="otherAddress",
        property="ADR",
        ways=Ways.BOTH,
        note="TYPE=OTHER, and those without TYPE; as businessAddress",
    ),
    Row(path="parentFolderId", property="", ways=Ways.NOISE, note="the address book itself"),
    Row(path="personalNotes", property="NOTE", ways=Ways.BOTH, note="one; a second note is stashed"),
    Row(
        path="photo",
        property="PHOTO",
        ways=Ways.BOTH,
        note="JPEG and PNG up to 4 MB are written; Graph cannot remove a photo",
    ),
    Row(path="primaryEmailAddress", property="EMAIL", ways=Ways.READ, note="emailAddresses again, for who asks"),
    Row(path="profession", property="ROLE", ways=Ways.BOTH),
    Row(path="secondaryEmailAddress", property="EMAIL", ways=Ways.READ, note="emailAddresses again, for who asks"),
    Row(
        path="singleValueExtendedProperties",
        property="UID",
        ways=Ways.BOTH,
        note="ours: a UID that a client chose, the stash of what has no place; others are never asked for",
    ),
    Row(
        path="spouseName", property="X-ABRELATEDNAMES", ways=Ways.BOTH, note="labelled Spouse; a second one is stashed"
    ),
    Row(path="surname", property="N", ways=Ways.BOTH, note="family name"),
    Row(path="tertiaryEmailAddress", property="EMAIL", ways=Ways.READ, note="emailAddresses again, for who asks"),
    Row(path="title", property="N", ways=Ways.BOTH, note="prefix; the job's title is jobTitle"),
    Row(path="yomiCompanyName", property="X-PHONETIC-ORG", ways=Ways.BOTH),
    Row(path="yomiGivenName", property="X-PHONETIC-FIRST-NAME", ways=Ways.BOTH),
    Row(path="yomiSurname", property="X-PHONETIC-LAST-NAME", ways=Ways.BOTH),
    Row(path="@odata.etag", property="", ways=Ways.NOISE, note="the version of the record"),
)
