"""Which rules are about an extension, and which about those who call it. Pure.

Each rule has a bit, so what covers a side of a call is one number. A pattern is asked only where its digits before the
first X agree, and nothing is asked twice: ten thousand calls are covered in a few milliseconds.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial

from bot.alerts.alert import AlertRule
from bot.domain.calls import EXTENSION, PhoneCallView, caller_numbers
from bot.domain.permissions import digits_of
from bot.domain.phone_numbers import in_ascii, spellings

MOST_KNOWN = 2**15
"""Texts of which it is remembered what covers them: foreign text may be anything."""
LONGEST_KNOWN = 100
"""Characters of such a text."""

_PLAIN = re.compile(r"\+?[0-9]+")
_BETWEEN = re.compile(r"[^0-9]+")


class RuleIndex:
    """Rules by their bits: the first is 1, the next 2, then 4. `teams` are those of the directory."""

    def __init__(self, rules: tuple[AlertRule, ...], teams: Mapping[str, frozenset[str]]) -> None:
        self._everywhere = 0
        self.choosy = 0
        """The rules that say who must call."""
        self._members: dict[str, int] = {}
        self._patterns = _Patterns()
        self._callers = _Patterns()
        self._countries = set[str | None]()
        for place, rule in enumerate(rules):
            self._add(1 << place, rule, teams)
        self.of_extension: Mapping[str, int] = _Known(self._find_extension)
        """The rules that are about an extension, whoever calls. Text that is no extension has none."""
        self._of_number = _Known(self._find_number)

    def _add(self, bit: int, rule: AlertRule, teams: Mapping[str, frozenset[str]]) -> None:
        if rule.extensions is None:
            self._everywhere |= bit
        for pattern in rule.extensions or ():
            if pattern.team is None:
                self._patterns.add(pattern.text, pattern.text, partial(pattern.covers, teams={}), bit)
            for member in teams.get(pattern.team or "", ()):
                self._members[member] = self._members.get(member, 0) | bit
        if rule.callers is not None:
            self.choosy |= bit
        for caller in rule.callers or ():
            self._countries.add(caller.country)
            for form in caller.forms:
                self._callers.add(form, form, re.compile(digits_of(form)).fullmatch, bit)

    def of_callers(self, view: PhoneCallView) -> int:
        """The rules that say nothing of callers, and those about one who calls on this side of a call.

        Who calls are the sources and the numbers in the caller id; the extension itself does not call itself.
        """
        bits = ~self.choosy
        texts = (*view.source, view.caller_id)
        if self._countries - {None} or self._callers.may_cover(_BETWEEN.sub("", in_ascii("".join(texts)))):
            itself = {view.extension, view.extension.partition("*")[2]}
            found = [_numbers_in(text) for text in texts]
            others = [those for those in found if not itself.issuperset(those[1:] or those)]
            for number in {number for those in others for number in those} - itself:
                bits |= self._of_number[number]
        return bits

    def _find_extension(self, extension: str) -> int:
        if EXTENSION.fullmatch(extension) is None:
            return 0
        known = self._everywhere | self._members.get(extension, 0)
        return known | self._patterns.rule_index(extension, extension)

    def _find_number(self, number: str) -> int:
        bits = 0
        for digits in frozenset[str]().union(*(spellings(number, country) for country in self._countries)):
            bits |= self._callers.rule_index(digits, digits)
        return bits


def _numbers_in(text: str) -> tuple[str, ...]:
    return (text,) if _PLAIN.fullmatch(text) else (text, *caller_numbers(text))


class _Known(dict[str, int]):
    """The rules that were found for each text, while there are not too many of them."""

    def __init__(self, find: Callable[[str], int]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, text: str) -> int:
        found = self._find(text)
        if len(text) <= LONGEST_KNOWN:
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[text] = found
        return found


class _Patterns:
    """Patterns by the digits before their first X: few of many can mean a given number."""

    def __init__(self) -> None:
        self._by_length: dict[int, dict[str, dict[str, tuple[Callable[[str], object], int]]]] = {}

    def add(self, digits: str, text: str, covers: Callable[[str], object], bit: int) -> None:
        """Know a pattern, before any is asked for: its digits and Xs, its own text, what it covers, the rule it is of."""
        start = digits.partition("X")[0]
        same = self._by_length.setdefault(len(start), {}).setdefault(start, {})
        _, bits = same.get(text, (covers, 0))
        same[text] = (covers, bits | bit)

    @cached_property
    def _starts(self) -> re.Pattern[str]:
        """The beginnings of all patterns; `(?!)` is none. Made once, when all are known: it takes its time."""
        starts = [re.escape(start) for starts in self._by_length.values() for start in starts]
        return re.compile("|".join(starts) if starts else "(?!)")

    def may_cover(self, digits: str) -> bool:
        """Whether any pattern begins with some of these digits."""
        return self._starts.search(digits) is not None

    def rule_index(self, number: str, digits: str) -> int:
        """The rules of those patterns that cover a number, which begins with these digits."""
        found = 0
        for length, starts in self._by_length.items():
            for covers, bits in starts.get(digits[:length], _NONE).values():
                if covers(number):
                    found |= bits
        return found


_NONE: Mapping[str, tuple[Callable[[str], object], int]] = {}
