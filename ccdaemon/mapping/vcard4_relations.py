"""Relations in either version of vCard: our X-ABRELATEDNAMES with a label, RELATED with a TYPE (RFC 6350, 6.6.6).

A label is exact and a standard kind is not: a mother is only a parent. So RELATED is written where both say the same.
"""

from collections.abc import Iterator, Mapping

from ccdaemon.mapping import vcard
from ccdaemon.mapping.card_values import Groups, is_uri, label_text, without
from ccdaemon.mapping.contentline import ContentLine, Params, escape_text

# The standard kinds.
_KINDS = frozenset(
    {
        *("contact", "acquaintance", "friend", "met", "co-worker", "colleague", "co-resident", "neighbor", "child"),
        *("parent", "sibling", "spouse", "kin", "muse", "crush", "date", "sweetheart", "me", "agent", "emergency"),
    }
)
# A more exact word -> the standard kind that DAVx5 writes beside it.
_IMPLIED = {
    "son": "child",
    "daughter": "child",
    "mother": "parent",
    "father": "parent",
    "brother": "sibling",
    "sister": "sibling",
    "manager": "co-worker",
    "assistant": "co-worker",
}
# Kind, or what clients write as one -> our label of a relation that bears none.
_LABEL_OF = {
    **{
        word.lower(): vcard.apple_label(word)
        for word in (
            *("Spouse", "Child", "Parent", "Mother", "Father", "Brother", "Sister", "Friend", "Manager", "Assistant"),
            *("Partner", "Son", "Daughter"),
        )
    },
    **{word.lower(): word for word in ("Relative", "Domestic partner", "Referred by")},
    "kin": "Relative",
}
_NO_KIND = "other"  # DAVx5's word for none


def related_4(one: ContentLine, label: str) -> ContentLine | None:
    """X-ABRELATEDNAMES as RELATED; None where its label, in lower case, is no standard kind. The label stays."""
    kind = _kind(label)
    if kind is None:
        return None
    others = tuple(word.lower() for word in one.param("TYPE") if word.upper() != "PREF")
    is_preferred = "PREF" in map(str.upper, one.param("TYPE"))
    params: Params = (
        ("TYPE", (kind, *(word for word in others if word != kind))),
        ("VALUE", ("text",)),
        *without(one.params, "TYPE", "VALUE"),
        *((("PREF", ("1",)),) if is_preferred else ()),
    )
    return one._replace(name="RELATED", params=params)


def _kind(label: str) -> str | None:
    """The standard kind that says the same as a label in lower case."""
    return label if label in _KINDS else "kin" if label == "relative" else None


def related_3(one: ContentLine, named: Mapping[str, str], groups: Groups) -> Iterator[ContentLine]:
    """A relation told by name as X-ABRELATEDNAMES with a label. A link to another card stays RELATED."""
    is_text = "TEXT" in map(str.upper, one.param("VALUE")) or not is_uri(one.value)
    if not is_text:
        yield one
        return
    best = _best_word(one)
    others = [word for word in _words(one) if word not in (best, _IMPLIED.get(best), _NO_KIND)]
    rest = tuple(sorted(others, key=lambda word: word == "pref"))
    params = without(one.params, "TYPE", "VALUE")
    group = one.group or groups.new()
    yield one._replace(name="X-ABRELATEDNAMES", params=(("TYPE", rest), *params) if rest else params, group=group)
    if best and group not in named:
        yield ContentLine("X-ABLabel", (), _LABEL_OF.get(best, escape_text(best)), group)


def is_no_kind(one: ContentLine) -> bool:
    """Whether an X-ABRELATEDNAMES bears DAVx5's TYPE for "no label"."""
    return _NO_KIND in _words(one)


def _words(one: ContentLine) -> list[str]:
    return [word.lower() for value in one.param("TYPE") for word in value.split(",") if word]


def _best_word(one: ContentLine) -> str:
    """The word that says most: "father" of DAVx5's ``TYPE=parent,father``; "" without any."""
    words = [word for word in _words(one) if word not in ("pref", _NO_KIND)]
    return min(words, key=lambda word: (word in _KINDS, word not in _LABEL_OF), default="")


def corrected(one: ContentLine, label: str) -> str:
    """The label that a relation gets in place of ``label``, which says another kind than its TYPE; "" for none."""
    said = label_text(label).lower()
    kind = _kind(said) or _IMPLIED.get(said)
    best = _best_word(one)
    if kind is None or not best or {kind, said}.intersection(_words(one)):
        return ""
    return _LABEL_OF.get(best, escape_text(best))
