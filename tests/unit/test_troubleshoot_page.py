"""The page for people in trouble knows every word that ``status`` may show."""

from pathlib import Path

from ccdaemon.errors import DELETIONS_HELD, CcdaemonError

PAGE = Path(__file__).parents[2] / "docs" / "troubleshoot.md"

NEVER_SHOWN = {"bad_data", "unknown_name", "unmappable", "unwritable", "lease_lost"}
"""Of what somebody typed, of one item, or of what another process goes on with: no state of an account."""


def words(kind: type[CcdaemonError] = CcdaemonError) -> set[str]:
    return {kind.code}.union(*(words(below) for below in kind.__subclasses__()))


def test_every_word_of_status_has_a_row_that_says_what_to_do():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]

    explained = {word for row in rows for word in words() | {DELETIONS_HELD} if f"`{word}`" in row.split("|")[1]}

    assert explained == words() - NEVER_SHOWN | {DELETIONS_HELD}
