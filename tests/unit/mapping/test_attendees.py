"""ORGANIZER and ATTENDEE: everybody once, nobody invented (traps 27, 28)."""

import pytest

from ccdaemon.mapping.attendees import Answer, Guest, people_lines
from ccdaemon.mapping.contentline import serialise


def written(*guests, organizer=("boss@example.com", "Boss")):
    return serialise(people_lines(*organizer, guests)).replace("\r\n ", "").split("\r\n")[:-1]


def test_without_guests_there_is_no_organizer():
    assert written() == []
    assert written(Guest(address="", name="Nobody")) == []


def test_guests_without_a_known_organizer_stand_alone():
    assert written(Guest(address="a@b.ch"), organizer=("", "")) == [
        "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;CN=a@b.ch:mailto:a@b.ch"
    ]


def test_the_first_answer_of_somebody_listed_twice_stays():
    _, *attendees = written(
        Guest(address="a@b.ch", answer=Answer.DECLINED), Guest(address="A@B.CH", name="A", answer=Answer.ACCEPTED)
    )

    assert attendees == ["ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=DECLINED;CN=A:mailto:a@b.ch"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ada@example.com", "mailto:ada@example.com"),
        ("jörg@exämple.com", "mailto:jörg@exämple.com"),
        ("a b@example.com", "mailto:a%20b@example.com"),
        ("/O=X/OU=Group, Y/CN=Ada", "mailto:/O=X/OU=Group%2C%20Y/CN=Ada"),
        ('"><x"@example.com', "mailto:%22%3E%3Cx%22@example.com"),
    ],
)
def test_an_address_becomes_one_uri(address, expected):
    _, attendee = written(Guest(address=address, name="A"))

    assert attendee.endswith(f";CN=A:{expected}")
