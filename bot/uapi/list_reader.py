"""The pages of one list of calls, read entry by entry, so that a page of thousands of calls blocks nobody else.

A page in the documented form is a JSON list, or an object with one, and is decoded one entry after the other. The first `[`
is taken for the beginning of the list; what stands around the entries proves that afterwards. A page in any other form
is small (`parsing.LARGEST_WHOLE`) and is read whole by `parsing`. Both ways give the same result.

An entry that has not changed since the list was read last is not decoded again. Source of the form: "List PhoneCalls".
"""

import json
import re
from collections.abc import Iterable, Iterator

from bot.domain.calls import OBJECT_ID, PhoneCall
from bot.domain.errors import PbxUnreachable
from bot.tasks import in_slices
from bot.uapi.parsing import MOST_ENTRIES, TOO_LARGE, Page, a_call, entries, not_a_number, read_calls, total

MOST_VIEWS_IN_LIST = 40_000
"""Views of all calls on one page: eight for each of the most calls that it can have."""
USUAL, LONGEST_ENTRY = 4 * 1024, 64 * 1024
"""Characters of an entry: nearly every one is shorter than the first, and one that is longer than the second is not decoded."""
LONGEST_AROUND = 64 * 1024
"""Characters around the entries: the numbers of an envelope, and links."""
MOST_REMEMBERED = 24 * 1024 * 1024
"""Characters of entries that are remembered; 10,000 calls of two views have some 8 million."""

_DECODER = json.JSONDecoder(parse_constant=not_a_number)
_LIST = re.compile(r"\[[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")

Entry = tuple[str, PhoneCall]
"""One entry of a list as the PBX sent it, and the call in it."""
_NO_ENTRY = ("", None)


class LastLists:
    """What each list showed when it was read last, at most `most` characters. The list read longest ago is forgotten first.

    A scan of 10,000 calls of which 1 % have changed takes 140 ms of processor time with it and 370 ms without (goal 200 ms).
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._lists: dict[tuple[str, str], tuple[int, list[Entry]]] = {}

    def of(self, scope: tuple[str, str]) -> list[Entry]:
        """What the list of that scope showed; empty if it is not remembered."""
        return self._lists.get(scope, (0, []))[1]

    def keep(self, scope: tuple[str, str], shown: list[Entry]) -> None:
        """Remember what the list of that scope shows now."""
        self._lists.pop(scope, None)
        self._lists[scope] = sum(len(entry) for entry, _ in shown), shown
        while sum(size for size, _ in self._lists.values()) > self._most:
            del self._lists[next(iter(self._lists))]


class ListReader:
    """One list of calls, read page after page. `last` is what it showed when it was read the time before."""

    def __init__(self, last: list[Entry]) -> None:
        self.shown: list[Entry] = []
        """What it shows now, as far as its pages are in the documented form."""
        self._last = last
        self._positions = {call.id: position for position, (_, call) in enumerate(last)}
        self._expected = 0
        self._end = 0

    async def read(self, http_status: int, body: bytes) -> Page[PhoneCall]:
        """Read the next page in slices. Raises as `parsing.read_calls`, and PbxUnreachable for too many calls or views."""
        if http_status == 200:
            try:
                return await self._documented(body.decode("utf-8-sig", "replace"))
            except (ValueError, RecursionError, PbxUnreachable):
                self.shown.clear()
        return await _collected(*read_calls(http_status, body))

    async def _documented(self, text: str) -> Page[PhoneCall]:
        """A page in the documented form. Raises ValueError, RecursionError or PbxUnreachable for any other."""
        opened = _LIST.search(text)
        if opened is None:
            raise ValueError("no list")
        page = await _collected(self._calls(text, opened.end()), None)
        head, tail = text[: opened.start() + 1], text[self._end :]
        if not head[:-1].strip() and len(page.entries) + page.skipped < 2:
            raise ValueError("a list of one may be an envelope in a list")
        return Page(page.entries, total(_around(head, tail)), page.skipped)

    def _calls(self, text: str, start: int) -> Iterator[PhoneCall | None]:
        """The calls of the entries from `start` on, None for one without an id. `_end` is the end of the latest entry.

        If the text goes on with the entry that the last list had next, its call is given unread.
        """
        while True:
            entry, call = self._last[self._expected] if self._expected < len(self._last) else _NO_ENTRY
            if call is not None and text.startswith(entry, start):  # no JSON object is the beginning of another one
                self._expected += 1
                self._end = start + len(entry)
                self.shown.append((entry, call))
            else:
                value, self._end = _decoded(text, start)
                call = a_call(value)
                if call is not None:
                    self._expected = self._positions.get(call.id, self._expected - 1) + 1
                    self.shown.append((text[start : self._end], call))
            yield call
            comma = _COMMA.match(text, self._end)
            if comma is None:
                return
            start = comma.end()


def _decoded(text: str, start: int) -> tuple[object, int]:
    """The JSON value at `start`, and its end. Raises ValueError if there is none, and if it is longer than LONGEST_ENTRY."""
    try:
        value, length = _DECODER.raw_decode(text[start : start + USUAL])
    except ValueError:
        value, length = _DECODER.raw_decode(text[start : start + LONGEST_ENTRY])
    return value, start + length


async def _collected(calls: Iterable[PhoneCall | None], total_of_all: int | None) -> Page[PhoneCall]:
    """These calls as a page. Calls without an id are counted; calls whose id does not have the documented form are left out.

    Raises PbxUnreachable for more calls or views than any list can have.
    """
    found: list[PhoneCall] = []
    number = skipped = views = 0
    async for call in in_slices(calls):
        number += 1
        if call is None:
            skipped += 1
        else:
            views += len(call.views)
            if OBJECT_ID.fullmatch(call.id):
                found.append(call)
        if number > MOST_ENTRIES or views > MOST_VIEWS_IN_LIST:
            raise PbxUnreachable(TOO_LARGE)
    return Page(tuple(found), total_of_all, skipped)


def _around(head: str, tail: str) -> object:
    """The document with a mark in place of its entries. Raises ValueError if the mark is not where its entries belong."""
    if len(head) + len(tail) > LONGEST_AROUND:
        raise ValueError("more stands around the entries than belongs there")
    marks: list[object] = []

    def mark(_: str) -> object:
        marks.append(object())
        return marks[-1]

    # RFC 8259 has no NaN, so this is the only one, or the page cannot be read anyway.
    document: object = json.loads(f"{head}NaN{tail}", parse_constant=mark)
    if (isinstance(document, dict) and "error" in document) or list(entries(document)) != marks:
        raise ValueError("those were not the entries")
    return document
