"""Words that a Microsoft event and a VEVENT have for the same: busy state, privacy, importance, answers; both ways.

Numbers of traps are those of providers.md section 7.
"""

from ccdaemon.mapping.attendees import Answer

_BUSY_STATUS = {
    "free": "FREE",
    "tentative": "TENTATIVE",
    "busy": "BUSY",
    "oof": "OOF",
    "workingElsewhere": "WORKINGELSEWHERE",
}
_SHOW_AS = {word: name for name, word in _BUSY_STATUS.items()}
_CLASS = {"personal": "PRIVATE", "private": "PRIVATE", "confidential": "CONFIDENTIAL"}
_ANSWERS = {
    "none": Answer.NEEDS_ACTION,
    "notResponded": Answer.NEEDS_ACTION,
    "organizer": Answer.ACCEPTED,
    "accepted": Answer.ACCEPTED,
    "tentativelyAccepted": Answer.TENTATIVE,
    "declined": Answer.DECLINED,
}
_RESPONSES = {
    Answer.ACCEPTED: "accepted",
    Answer.TENTATIVE: "tentativelyAccepted",
    Answer.DECLINED: "declined",
}
_PRIORITY = {"high": "1", "low": "9"}  # RFC 5545 section 3.8.1.9

FREE = "free"
PERSONAL = "PERSONAL"
"""X-CCD-SENSITIVITY of what Outlook calls personal, for which CLASS has no word."""


def busy_status(show_as: str) -> str:
    """X-MICROSOFT-CDO-BUSYSTATUS of a ``showAs``, "" for "unknown"."""
    return _BUSY_STATUS.get(show_as, "")


def show_as(transparency: str, busy: str, before: str) -> str:
    """The ``showAs`` of TRANSP and X-MICROSOFT-CDO-BUSYSTATUS; ``before`` is what it was, "" when there was none.

    Where they contradict each other, TRANSP counts, which every client knows: a meeting that stays opaque stays out of
    office or tentative (trap 24).
    """
    if transparency.upper() == "TRANSPARENT":
        return FREE
    wanted = _SHOW_AS.get(busy.upper(), "")
    if wanted and wanted != FREE:
        return wanted
    return before if before and before != FREE else "busy"


def classification(sensitivity: str) -> str:
    """CLASS of a ``sensitivity``, "" where it says nothing."""
    return _CLASS.get(sensitivity, "")


def sensitivity(classification: str, marker: str) -> str:
    """The ``sensitivity`` of CLASS and X-CCD-SENSITIVITY; what nobody knows is private (RFC 5545, 3.8.1.3)."""
    word = classification.strip().upper()
    if word in ("", "PUBLIC"):
        return "normal"
    if word == "CONFIDENTIAL":
        return "confidential"
    return "personal" if marker.strip().upper() == PERSONAL else "private"


def priority(importance: str) -> str:
    """PRIORITY of an ``importance``, "" where it says nothing."""
    return _PRIORITY.get(importance, "")


def importance(priority: str) -> str:
    """The ``importance`` of PRIORITY: 1 to 4 are high, 6 to 9 low."""
    digits = priority.strip()
    if len(digits) != 1 or digits not in "12346789":
        return "normal"
    return "high" if digits < "5" else "low"


def answer(response: str) -> Answer:
    """PARTSTAT of a ``response`` (trap 27)."""
    return _ANSWERS.get(response, Answer.NEEDS_ACTION)


def response(answer: Answer) -> str | None:
    """The ``response`` that gives an answer; None: there is no way to take one back."""
    return _RESPONSES.get(answer)


# Names of the colours in Outlook's palette, "preset0" and on, as CSS3 calls the nearest (RFC 7986 section 5.9).
_COLOURS = (
    "red", "orange", "peru", "yellow", "green", "teal", "olive", "blue", "purple", "crimson", "lightsteelblue",
    "slategray", "darkgray", "dimgray", "black", "darkred", "darkorange", "saddlebrown", "goldenrod", "darkgreen",
    "darkcyan", "darkolivegreen", "darkblue", "indigo", "maroon",
)  # fmt: skip


def colour(preset: str) -> str:
    """COLOR of a category's colour, "" where it has none."""
    number = preset.removeprefix("preset")
    known = number != preset and number.isascii() and number.isdigit() and len(number) <= 2
    return _COLOURS[int(number)] if known and int(number) < len(_COLOURS) else ""
