"""The pages of one list of calls, entry by entry: what stood there last time is not read again. No I/O here.

In an answer of the documented form the first `[` opens the list of entries. From there on each entry is either what stood
in the last list, and then it is the very same PhoneCall, or it is read. Then what stands around the entries is read without
them, which proves that the `[` was the right one. Every other answer is read by `wire`, whole, and with the same outcome.

Reading is done in slices, so that a page of thousands of calls keeps nobody else waiting.
"""

import json
import re
from array import array
from collections.abc import Generator

from pydantic import ValidationError

from bot.domain.calls import OBJECT_ID, PhoneCall
from bot.domain.errors import PbxUnreachable
from bot.uapi import wire
from bot.uapi.envelope import MOST_ENTRIES, TOO_LARGE, entries, parsed, total
from bot.uapi.wire import Page

SLICE = 10
"""Entries that are read before others may have their turn."""
LONG = 4 * 1024
"""Bytes of an entry after which others may have their turn at once."""
MOST_VIEWS = 40_000
"""Views of all calls on one page: eight for each of the most calls that it can have."""
MOST_BRACES = 64
"""Closing braces of an entry, one for each view and for its link; an entry with more of them is read the long way."""
LONGEST = 64 * 1024
"""Bytes of an entry, which is read at once; one that is longer has its page read whole."""
LONGEST_AROUND = 64 * 1024
"""Bytes of what stands around the entries: the numbers of an envelope, and links."""
MOST_REMEMBERED = 24 * 1024 * 1024
"""Bytes of pages that are remembered; 10,000 calls of two views have some 8 million."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_DECODER = json.JSONDecoder()
_NO_NUMBERS = (re.compile(rb"NaN"), re.compile(rb"Infinity"))
"""What pydantic takes for numbers, but RFC 8259 does not."""
_LIST = re.compile(rb"\[[ \t\n\r]*")
_COMMA = re.compile(rb"[ \t\n\r]*,[ \t\n\r]*")


class Shown:
    """What a list has shown: the bytes of its pages, where in them the entry of each call stands, and the calls.

    Whole pages take less room, and less time, than ten thousand entries that are cut out of them.
    """

    def __init__(self) -> None:
        self.pages: list[bytes] = []
        self.calls: list[PhoneCall] = []
        self._page = array("B")
        self._start = array("L")
        self._end = array("L")
        self._places: dict[str, int] = {}

    @property
    def size(self) -> int:
        """How many bytes are remembered."""
        return sum(map(len, self.pages))

    def add(self, call: PhoneCall, start: int, end: int) -> None:
        """Add the call whose entry stands there in the latest page."""
        self._places.setdefault(call.id, len(self.calls))
        self.calls.append(call)
        self._page.append(len(self.pages) - 1)
        self._start.append(start)
        self._end.append(end)

    def place(self, call_id: str) -> int:
        """Where the call was first; one more than there are where it was not."""
        return self._places.get(call_id, len(self.calls))

    def entry(self, place: int) -> bytes:
        """The entry of a call; empty where there are fewer."""
        if place >= len(self.calls):
            return b""
        return self.pages[self._page[place]][self._start[place] : self._end[place]]


class Remembered:
    """What each scope has shown last, at most so many bytes of it: what was listed longest ago is forgotten first."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._size = 0
        self._shown: dict[tuple[str, str], Shown] = {}

    def of(self, scope: tuple[str, str]) -> Shown:
        """What the scope has shown last, as far as it is remembered."""
        return self._shown.get(scope) or Shown()

    def keep(self, scope: tuple[str, str], shown: Shown) -> None:
        """Remember this of the scope, and nothing else."""
        self._forget(scope)
        self._shown[scope] = shown
        self._size += shown.size
        while self._size > self._most:
            self._forget(next(iter(self._shown)))

    def _forget(self, scope: tuple[str, str]) -> None:
        if scope in self._shown:
            self._size -= self._shown.pop(scope).size


class Pages:
    """The pages of one list, one after the other, next to what the list has shown last.

    `shown` is what it shows now, if all of it is in the documented form, and `anew` how many entries had to be read for it.
    """

    def __init__(self, before: Shown) -> None:
        self.shown = Shown()
        self.anew = 0
        self._before = before
        self._next = 0
        self._doubtful = False
        self._entries = self._views = self._skipped = 0

    def reading(self, http_status: int, body: bytes) -> Generator[None, None, Page[PhoneCall]]:
        """Read a page, in slices; what comes of it is what `wire.read_page` makes of it. Raises as that does."""
        if http_status == 200 and (page := (yield from self._documented(body))) is not None:
            return page
        calls, total_of_all = wire.read_calls(http_status, body)
        found: list[PhoneCall] = []
        skipped = self._entries = self._views = 0
        for count, call in enumerate(calls, 1):
            self._count(call)
            if call is None:
                skipped += 1
            else:
                found.append(call)
            if count % SLICE == 0:
                yield
        return Page(tuple(found), total_of_all, skipped)

    def _count(self, call: PhoneCall | None) -> None:
        """Raise PbxUnreachable where a page has more than any list can have."""
        self._entries += 1
        self._views += 0 if call is None else len(call.views)
        if self._entries > MOST_ENTRIES or self._views > MOST_VIEWS:
            raise PbxUnreachable(TOO_LARGE)

    def _documented(self, body: bytes) -> Generator[None, None, Page[PhoneCall] | None]:
        """A page in the documented form; None where it has another."""
        body = body.removeprefix(BYTE_ORDER_MARK)
        opened = _LIST.search(body)
        if opened is None:
            return None
        self.shown.pages.append(body)
        self._doubtful = _says_nan(body)
        self._entries = self._views = self._skipped = 0
        calls: list[PhoneCall] = []
        try:
            end = yield from self._walk(body, opened.end(), calls)
            around = _around(body[: opened.start() + 1], body[end:], len(calls) + self._skipped)
        except (ValueError, RecursionError, PbxUnreachable):
            self.shown = Shown()
            return None
        return Page(tuple(calls), total(around), self._skipped)

    def _walk(self, body: bytes, start: int, calls: list[PhoneCall]) -> Generator[None, None, int]:
        """Read the entries from there on, and return where the last one ends. Raises as `_read`."""
        read = 0
        while True:
            call, end = self._entry(body, start)
            self._count(call)
            if call is None:
                self._skipped += 1
            elif OBJECT_ID.fullmatch(call.id):
                calls.append(call)
                self.shown.add(call, start, end)
            after = _COMMA.match(body, end)
            if after is None:
                return end
            long, start = end - start > LONG, after.end()
            read += 1
            if long or read % SLICE == 0:
                yield

    def _entry(self, body: bytes, start: int) -> tuple[PhoneCall | None, int]:
        """The call whose entry begins there, and where that ends. Raises as `_read`."""
        before, place = self._before, self._next
        expected = before.entry(place)
        if expected and body.startswith(expected, start):
            # No whole object begins another one, so the entry ends where this one does.
            self._next = place + 1
            return before.calls[place], start + len(expected)
        self.anew += 1
        call, end = _read(body, start, doubtful=self._doubtful)
        if call is None:
            return None, end
        place = before.place(call.id)
        if place < len(before.calls):
            self._next = place + 1
            if before.entry(place) == body[start:end]:
                call = before.calls[place]
        return call, end


def _read(body: bytes, start: int, *, doubtful: bool) -> tuple[PhoneCall | None, int]:
    """The call whose entry begins there, None for one without an id, and where that ends. `doubtful`: somewhere in the page is NaN or its kin.

    Raises ValueError and RecursionError where it cannot be read, or where none begins; PbxUnreachable.
    """
    end = _end(body, start)
    entry = body[start:end]
    if len(entry) <= LONGEST and not (doubtful and _says_nan(entry)):
        try:
            # Where this is one whole object, it is the one that begins here, so the end was right.
            if (call := PhoneCall.model_validate_json(entry)).id:
                return call, end
        except ValidationError:
            pass
    text = body[start : start + LONGEST].decode("latin-1")  # one character for each byte, whatever they mean
    _, length = _DECODER.raw_decode(text)
    return wire.a_call(parsed(body[start : start + length])), start + length


def _says_nan(text: bytes) -> bool:
    """Whether there is NaN or one of its kin somewhere, if only in a name."""
    return any(word.search(text) for word in _NO_NUMBERS)


def _end(body: bytes, start: int) -> int:
    """Where the object ends that begins there, if its texts have no braces."""
    end, depth = start, 0
    for _ in range(MOST_BRACES):
        begun, end = end, body.find(b"}", end) + 1
        depth += body.count(b"{", begun, end) - 1
        if not end or not depth:
            break
    return end


def _around(head: bytes, tail: bytes, number: int) -> object:
    """What stands around the entries, with something else for them. Raises ValueError where they were not the entries."""
    if len(head) + len(tail) > LONGEST_AROUND:
        raise ValueError("more stands around the entries than belongs there")
    if number < 2 and not head[:-1].strip():
        raise ValueError("a list of one may be an envelope in a list")
    instead: list[object] = []

    def there(constant: str) -> object:
        instead.append(object())
        return instead[-1]

    # RFC 8259 knows no NaN, so there can be but this one.
    document: object = json.loads((head + b"NaN" + tail).decode("latin-1"), parse_constant=there)
    if (isinstance(document, dict) and "error" in document) or list(entries(document)) != instead:
        raise ValueError("no list of entries")
    return document


def next_start(start: int, came: int) -> int:
    """Where the page after this one begins, which began at `start` and had so many entries.

    Calls that end while a list is read move those behind them forward, so each page begins a little before the end of the
    one before it: what moved no further is not missed. The next look shows what moved further.
    """
    return min(start + came - came // 20, wire.LAST_START)
