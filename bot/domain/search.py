"""The words of `/calls`: a part of a name or number, or a mention of a person. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bot.domain.commands import Target, mentioned
from bot.domain.errors import NotSuitable
from bot.domain.foreign_text import folded
from bot.domain.permissions import Permissions, Person


@dataclass(frozen=True)
class Search:
    """One word: a part of a name or number, or a mention of a person. `shown` is how it is repeated."""

    shown: str
    part: str = ""
    extensions: frozenset[str] | None = None

    def finds(self, numbers: Collection[str], words: Callable[[], str]) -> bool:
        """Whether it means a side of a call with these numbers; `words` is what else is said of it, folded."""
        if self.extensions is not None:
            return not self.extensions.isdisjoint(numbers)
        return self.part in words()


def search(word: str, permissions: Permissions, asker: Person) -> Search:
    """What a word means for the person who typed it."""
    user = mentioned(word)
    if user is None:
        return Search(shown=word, part=folded(word))
    person = permissions.people.get(user)
    try:
        meant = permissions.extensions_meant(Target(kind="person", text=user), asker)
    except NotSuitable:
        return Search(shown="a person I don't know", extensions=frozenset())
    return Search(shown=person.name if person else permissions.name_of(meant[0]), extensions=frozenset(meant))
