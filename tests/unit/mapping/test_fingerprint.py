"""What counts as the same meaning, and what does not."""

from timeit import repeat

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ccdaemon.mapping.fingerprint import fingerprint, fingerprint_of

CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//one//EN\r\nUID:7\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r\n"
    "TEL;TYPE=CELL,VOICE:+41 44 000 00 00\r\nitem1.EMAIL;TYPE=work:ada@example.com\r\nREV:20260101T000000Z\r\n"
    "END:VCARD\r\n"
)
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//one//EN\r\n"
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Zurich\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\n"
    "TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\nUID:7\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Zurich:20260301T090000\r\n"
    'ATTENDEE;CN="Byron, Ada";ROLE=REQ-PARTICIPANT:mailto:ada@example.com\r\n'
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT9M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_the_order_of_properties_does_not_count():
    moved = CARD.replace("UID:7\r\nFN:Ada Lovelace\r\n", "FN:Ada Lovelace\r\nUID:7\r\n")

    assert moved != CARD
    assert fingerprint(CARD) == fingerprint(moved)


def test_the_order_of_components_does_not_count():
    first, second = "TRIGGER:-PT5M", "TRIGGER:-PT9M"
    swapped = EVENT.replace(first, "?").replace(second, first).replace("?", second)

    assert swapped != EVENT
    assert fingerprint(EVENT) == fingerprint(swapped)


def test_the_order_case_and_quotes_of_parameters_do_not_count():
    other = EVENT.replace(
        'ATTENDEE;CN="Byron, Ada";ROLE=REQ-PARTICIPANT:', 'attendee;ROLE="REQ-PARTICIPANT";cn="Byron, Ada":'
    )

    assert other != EVENT
    assert fingerprint(EVENT) == fingerprint(other)
    assert fingerprint(CARD) == fingerprint(CARD.replace("TYPE=CELL,VOICE", "TYPE=voice,cell"))
    assert fingerprint(CARD) == fingerprint(CARD.replace("TYPE=CELL,VOICE", "TYPE=voice;TYPE=cell"))


def test_folding_and_line_ends_do_not_count():
    assert fingerprint(CARD) == fingerprint(CARD.replace("FN:Ada Lovelace", "FN:Ada Lo\r\n velace"))
    assert fingerprint(CARD) == fingerprint(CARD.replace("\r\n", "\n"))


def test_stamps_do_not_count():
    other = CARD.replace("-//one//EN", "-//two//EN").replace("REV:20260101T000000Z\r\n", "")
    stamped = EVENT.replace("DTSTAMP:20260101T000000Z", "DTSTAMP:20270202T000000Z\r\nLAST-MODIFIED:20270202T000000Z")

    assert fingerprint(CARD) == fingerprint(other)
    assert fingerprint(EVENT) == fingerprint(stamped)


def test_the_wording_of_a_vtimezone_does_not_count_but_the_zone_used_does():
    worded = EVENT.replace("DTSTART:19701025T030000", "DTSTART:19961027T030000\r\nRRULE:FREQ=YEARLY")
    moved = EVENT.replace("TZID=Europe/Zurich", "TZID=Europe/Oslo")

    assert fingerprint(EVENT) == fingerprint(worded)
    assert fingerprint(EVENT) != fingerprint(moved)


ZONE_LINES = st.lists(
    st.sampled_from([
        *("BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "begin:vtimezone", "END:vtimezone "),
        *("BEGIN:STANDARD", "END:STANDARD", "TZID:Europe/Zurich", "BEGIN:VEVENT", "END:VEVENT", "SUMMARY:x", "END:"),
    ]),
    max_size=14,
)  # fmt: skip


@settings(max_examples=500)
@given(ZONE_LINES)
@example(["X:1", "BEGIN:VTIMEZONE", "END:STANDARD", "SUMMARY:x", "END:VTIMEZONE"])
@example(["X:1", "BEGIN:VTIMEZONE", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "SUMMARY:x", "END:VTIMEZONE"])
@example(["X:1", "BEGIN:VTIMEZONE", "BEGIN:STANDARD", "END:VTIMEZONE", "SUMMARY:x"])
def test_zones_that_are_nested_or_cut_are_left_out_as_the_walk_along_the_lines_does(lines: list[str]):
    assert fingerprint_of(lines) == fingerprint("\r\n".join([*lines, ""]))


def test_every_value_counts():
    lines = [line for line in EVENT.split("\r\n") if line and "VTIMEZONE" not in line]
    uncounted = ("BEGIN", "END", "PRODID", "DTSTAMP", "TZ", "DTSTART:1970")
    counted = [line for line in lines if not line.startswith(uncounted)]

    assert [line for line in counted if fingerprint(EVENT.replace(line, line + "x")) == fingerprint(EVENT)] == []


def test_a_property_counts_where_it_stands():
    inside = "ACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nSUMMARY:x\r\nEND:VALARM"
    outside = "ACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nSUMMARY:x"
    plain = "ACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM"

    assert fingerprint(EVENT.replace(plain, inside)) != fingerprint(EVENT.replace(plain, outside))


def test_a_separator_inside_quotes_is_not_one():
    assert fingerprint('A;P="x;Q=y":v') != fingerprint("A;P=x;Q=y:v")
    assert fingerprint('A;TYPE="b,a":v') != fingerprint("A;TYPE=a,b:v")
    assert fingerprint('A;P="x:y":v') != fingerprint("A;P=x:y:v")
    assert fingerprint('A;P=x:"q;r"') != fingerprint('A;P=x:"r;q"')


@given(st.text())
def test_any_text_has_a_fingerprint(text: str):
    assert fingerprint(text) == fingerprint(text)


@given(st.permutations(CARD.split("\r\n")[1:-2]))
def test_any_order_of_a_card_has_one_fingerprint(lines: list[str]):
    assert fingerprint("\r\n".join(["BEGIN:VCARD", *lines, "END:VCARD", ""])) == fingerprint(CARD)


def test_a_small_card_takes_no_tenth_of_a_millisecond():
    seconds = min(repeat(lambda: fingerprint(CARD), number=100, repeat=10)) / 100

    assert seconds < 0.0001
