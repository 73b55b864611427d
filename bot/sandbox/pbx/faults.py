"""Faults on purpose: what networks, proxies and overloaded servers do to an answer, and what changes between two requests."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from bot.sandbox.pbx.requests import Answer, Request

Kind = Literal[
    "slow",
    "cut before",
    "cut after",
    "html 500",
    "html 502",
    "401",
    "403",
    "204",
    "200",
    "empty list",
    "redirect",
    "half json",
    "empty body",
]


@dataclass
class Fault:
    """What goes wrong with the next `times` requests (None: with all) of that method whose path contains that text.

    Nothing is done for "cut before", "html 500", "html 502", "401", "403" and "redirect". All others do what was asked
    and spoil the answer alone. "slow" waits `seconds` first, and so does any other kind that is given some.
    """

    kind: Kind
    method: Literal["PUT", "GET", "POST"] | None = None
    path_contains: str = ""
    times: int | None = 1
    seconds: float = 0.0
    to: str = ""
    """Where "redirect" points."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault {self.kind!r}")

    def answer_instead(self, request: Request) -> Answer | None:
        """Return the answer of a fault that does nothing of what was asked, else None."""
        if self.kind in {"html 500", "html 502"}:
            page = f"<html><body><h1>{self.kind[-3:]}</h1></body></html>"
            return Answer(int(self.kind[-3:]), text=page, content_type="text/html; charset=UTF-8")
        if self.kind == "redirect":
            return Answer(307, headers={"Location": self.to})
        if self.kind in {"401", "403"}:
            refused: object = {"code": "access_denied", "message": "Access denied."}
            if request.path.startswith("/oauth/"):
                refused = "invalid_client"
            return Answer(int(self.kind), {"error": refused})
        return None

    def spoil(self, answer: Answer, empty_list: dict[str, object]) -> Answer:
        """Return that answer as the fault spoils it; a refusal stays as it is."""
        if answer.status >= 400:
            return answer
        if self.kind == "204":
            return Answer(204)
        if self.kind == "empty list":
            return Answer(200, empty_list)
        if self.kind == "empty body":
            return Answer(200, text="")
        if self.kind == "half json":
            whole = json.dumps(answer.payload)
            return replace(answer, text=whole[: len(whole) // 2], payload=None)
        return answer


@dataclass
class Faults:
    """The faults that wait for their requests, oldest first."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        self.waiting.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        self.waiting.clear()

    def take(self, request: Request) -> Fault | None:
        """Return the first fault for that request, and count its use."""
        for fault in self.waiting:
            if fault.method in {None, request.method} and fault.path_contains in request.path:
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.waiting.remove(fault)
                return fault
        return None


@dataclass
class Meanwhile:
    """Changes that wait for a request, oldest first. Each happens once."""

    waiting: list[tuple[str, Callable[[], object]]] = field(default_factory=list)

    def after(self, target_contains: str, happens: Callable[[], object]) -> None:
        """Make a change right after the next request whose path and query contain that text is answered."""
        self.waiting.append((target_contains, happens))

    def answered(self, request: Request) -> None:
        """Make the changes that waited for this request: its answer is ready, but not sent yet."""
        due = [each for each in self.waiting if each[0] in request.target]
        self.waiting = [each for each in self.waiting if each not in due]
        for _, happens in due:
            happens()
