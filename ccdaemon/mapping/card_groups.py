"""Groups of our card in a client's: lines of ours that are put into it again must not join a group of the client's."""

from collections.abc import Sequence

from ccdaemon.mapping.card_values import Groups, labels
from ccdaemon.mapping.contentline import ContentLine


class GroupsOf:
    """Names for groups of ours in a client's card: the same where it kept lines of that group, else new ones."""

    def __init__(self, ours: Sequence[ContentLine], mine: Sequence[ContentLine]) -> None:
        said = {(one.group, one.key, one.value) for one in mine if one.group is not None}
        self._kept = {one.group for one in ours if (one.group, one.key, one.value) in said}
        self._labels = labels(ours)
        self._groups = Groups([*ours, *mine])
        self._names: dict[str, str] = {}

    def new(self) -> str:
        """A group that neither card has."""
        return self._groups.new()

    def renamed(self, one: ContentLine) -> ContentLine:
        """A line of ours as it has to stand in the client's card."""
        if one.group is None:
            return one
        if one.group not in self._names:
            self._names[one.group] = one.group if one.group in self._kept else self.new()
        return one._replace(group=self._names[one.group])

    def missing_labels(self, mine: Sequence[ContentLine]) -> list[ContentLine]:
        """The labels of the groups that lines were put back into, where the client's card has none for them."""
        have = labels(mine)
        return [
            ContentLine("X-ABLabel", (), self._labels[group], name)
            for group, name in self._names.items()
            if group in self._labels and name not in have
        ]
