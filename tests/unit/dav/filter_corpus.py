"""Bodies and queries in every combination of which two ways to answer are compared."""

from tests.unit.dav.filter_bodies import (
    Range,
    calendar,
    card,
    component,
    event,
    of_card,
    prop_filter,
    text,
    text_match,
    todo,
)

DAY = Range("20260302T000000Z", "20260303T000000Z")
LATER = Range("20260302T100000Z", None)

EVENTS = {
    "plain": event("DTSTART:20260302T090000Z", "DURATION:PT1H", "SUMMARY:Lunch with Müller", "CATEGORIES:Work,Food"),
    "earlier": event("DTSTART:20260301T090000Z", "DURATION:PT1H", "SUMMARY:lunch"),
    "day": event("DTSTART;VALUE=DATE:20260302", "SUMMARY:Holiday"),
    "day-before": event("DTSTART;VALUE=DATE:20260301", "SUMMARY:Holiday", "CATEGORIES:Home"),
    "floating": event("DTSTART:20260302T233000", "DURATION:PT15M"),
    "daily": event("DTSTART:20200101T070000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "SUMMARY:Run"),
    "ended": event("DTSTART:20260101T070000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=10", "SUMMARY:Run"),
    "bomb": event("DTSTART:20260101T070000Z", "RRULE:FREQ=SECONDLY", "SUMMARY:Run"),
    "changed": calendar(
        *component("VEVENT", "DTSTART:20260228T090000Z", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:Lunch"),
        *component("VEVENT", "RECURRENCE-ID:20260301T090000Z", "DTSTART:20260302T090000Z", "SUMMARY:Dinner"),
    ),
    "long-title": event("DTSTART:20260302T090000Z", "SUMMARY:" + "x" * 600 + "lunch"),
    "alarm": event("DTSTART:20260302T090000Z", "BEGIN:VALARM", "TRIGGER:-P1D", "END:VALARM"),
}
TASKS = {
    "due": todo("DUE:20260302T120000Z", "SUMMARY:Milk", "STATUS:NEEDS-ACTION"),
    "any-day": todo("SUMMARY:lunch"),
    "done": todo("COMPLETED:20260302T120000Z", "STATUS:COMPLETED", "SUMMARY:Bread"),
    "floating-due": todo("DUE:20260303T040000", "SUMMARY:Lunch"),
    "repeated": todo("DTSTART:20260101T090000Z", "DUE:20260101T100000Z", "RRULE:FREQ=WEEKLY"),
}
CARDS = {
    "anna": card("FN:Anna Müller", "N:Müller;Anna;;;", "EMAIL:anna@example.org", "EMAIL:anna@work.example"),
    "ben": card("FN:Ben Muller", "N:Muller;Ben;;;", "item1.TEL:+41 44 000", "ORG:Work AG;Sales"),
    "carl": card("FN:Carl Ä", "N:;Carl;;;", "NICKNAME:Charlie,Müller"),
    "nobody": card("FN:", "N:;;;;"),
}
ALL: dict[str, dict[str, str]] = {"VEVENT": EVENTS, "VTODO": TASKS, "": CARDS}


SUMMARIES = [
    prop_filter("SUMMARY", content)
    for content in (
        "", "<c:is-not-defined/>", text_match("LUNCH"), text_match("lunch", collation="i;octet"), text_match(""),
        text_match("lunch", negate_condition="yes"), text_match("muller"), text_match("x" * 40),
        text_match("lunch", match_type="equals"), text_match("Run", match_type="starts-with"),
    )
]  # fmt: skip
CONTENTS = [
    "", str(DAY), str(LATER), *SUMMARIES, *(str(DAY) + content for content in SUMMARIES),
    prop_filter("CATEGORIES", text_match("work", match_type="equals")), prop_filter("CATEGORIES", text_match("k,f")),
    prop_filter("CATEGORIES", text_match("work", negate_condition="yes")), prop_filter("STATUS"),
    prop_filter("CATEGORIES", text_match("work") + text_match("food")),
    '<c:comp-filter name="VALARM"/>', f'<c:comp-filter name="VALARM">{DAY}</c:comp-filter>',
]  # fmt: skip
CARD_CONTENTS = [
    "", of_card("FN"), of_card("TEL", "<cr:is-not-defined/>"), of_card("TEL"), of_card("ITEM1.TEL"),
    of_card("FN", text("MÜLLER")), of_card("FN", text("muller")), of_card("N", text("anna", match_type="equals")),
    of_card("FN", text("ä", match_type="ends-with")), of_card("FN", text("", match_type="equals")),
    of_card("EMAIL", text("work", negate_condition="yes")), of_card("FN", text("anna")) + of_card("TEL"),
    of_card("NICKNAME", text("müller", match_type="starts-with")), of_card("ORG", text("sales", match_type="equals")),
    of_card("EMAIL", text("anna"), text("example.org"), test="allof"), of_card("NOTE"),
    of_card("EMAIL", text("work", negate_condition="yes")) + of_card("ORG", text("work")),
    of_card("FN", text("Anna", collation="i;octet")), of_card("FN", text("anna", collation="i;octet")),
]  # fmt: skip
