"""Requests to the sandbox PBX and its answers, as plain values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

JSON_TYPE = "application/json; charset=UTF-8"


@dataclass
class Request:
    """One HTTP request as it came over the wire."""

    method: str
    path: str
    """The path as it was sent, percent forms included, without the query; of an absolute-form target its path."""
    raw_query: str
    headers: dict[str, str]
    """Names in lower case; Authorization is kept."""
    body: bytes
    at: float
    """When it came, on the monotonic clock, in seconds."""
    status: int | None = None
    """The answer; None: not answered yet, or the connection was cut."""

    @property
    def query(self) -> dict[str, str]:
        """The query's fields, decoded; of a field that came twice the last."""
        return dict(self.query_pairs)

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        """The query's fields, decoded, in their order."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    @property
    def target(self) -> str:
        """Path and query, as they were sent."""
        return f"{self.path}?{self.raw_query}" if self.raw_query else self.path

    @property
    def json(self) -> object:
        """The body read as JSON; None when it is empty or no JSON."""
        try:
            value: object = json.loads(self.body)
        except ValueError:
            return None
        return value

    @property
    def segments(self) -> list[str]:
        """The path's segments, decoded; one trailing slash is left out (4PSA's clients differ in it)."""
        return [unquote(segment) for segment in self.path.removesuffix("/").split("/")[1:]]

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def request_from(method: str, target: str, headers: Mapping[str, str], body: bytes, at: float) -> Request:
    """Build a Request from the parts of an HTTP request; `target` is in origin form or in absolute form."""
    if not target.startswith("/"):
        parts = urlsplit(target)
        target = f"{parts.path or '/'}?{parts.query}"
    path, _, raw_query = target.partition("?")
    lower = {name.lower(): value for name, value in headers.items()}
    return Request(method, path, raw_query, lower, body, at)


@dataclass(frozen=True)
class Answer:
    """A status and a body: a JSON value, text, or nothing (None)."""

    status: int
    payload: object = None
    text: str | None = None
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The bytes of the body."""
        if self.text is not None:
            return self.text.encode()
        return b"" if self.payload is None else json.dumps(self.payload, ensure_ascii=False).encode()
