"""What the originals of one group share."""

from ccdaemon.mapping.group import remembered


def test_what_was_made_of_a_payload_is_made_once_while_the_same_one_comes():
    made: list[str] = []

    @remembered
    def name(payload: dict) -> str:
        made.append(payload["name"])
        return payload["name"]

    one, equal, other = {"name": "one"}, {"name": "one"}, {"name": "other"}

    assert [name(payload) for payload in (one, one, equal, other, other, one)] == [
        *("one", "one", "one", "other", "other", "one")
    ]
    assert made == ["one", "one", "other", "one"]
