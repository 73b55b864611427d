"""Requests, answers and refusals as plain values: each documented error code with its status and text, as each page spells it."""

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


# (status, text). The pc_* texts are those of the "Response" tables of the five PhoneCalls pages; the generic ones and
# those of paging are codes of the HTTP Return Codes page. The last three are this sandbox's own: the documentation has
# no word for a request that is wrong in a way that no page foresees, and a test should notice one.
MEANINGS: dict[str, tuple[int, str]] = {
    "pc_timeout_invalid": (
        400,
        (
            "Value supplied in waitForPickup parameter is missing or invalid. "
            "The parameter must be numeric and higher than 0."
        ),
    ),
    "pc_callerid_invalid": (
        400,
        (
            "Value supplied in callerId parameter is missing or invalid. "
            "The parameter must be set to a value with the format: John Doe <+3334444>."
        ),
    ),
    "pc_phonecall_invalid": (
        400,
        (
            "Value supplied in phoneCallId from the URI-Fragment is invalid. "
            "The parameter must be set to an alpha-numeric value and reference an existing phone call."
        ),
    ),
    "pc_phonecallview_invalid": (
        400,
        (
            "Value supplied in phoneCallViewId parameter is missing or invalid. The parameter must reference "
            "a view of the phone call identified by the phoneCallId given in the URI-Fragment."
        ),
    ),
    "pc_sendcallto_invalid": (
        400,
        (
            "Value supplied in sendCallTo parameter is missing or invalid. "
            "The parameter must be set to the number of a phone terminal extension."
        ),
    ),
    "pc_private_invalid": (
        400,
        (
            "Value supplied in private parameter is missing or invalid. "
            "The parameter must be set to 0 for non private calls or 1 for private calls."
        ),
    ),
    "pc_recformat_invalid": (
        400,
        (
            "Value supplied in recFormat parameter is missing or invalid. "
            "The parameter must be set to one of the following value: wav or wav49."
        ),
    ),
    "user_invalid": (400, "Value supplied in userId is invalid or the user does not own the extension."),
    "extension_invalid": (400, "Value supplied in extension is invalid or references no extension."),
    "fields_invalid": (400, "Value supplied in fields parameter is invalid."),
    "count_invalid": (400, "Value supplied in count parameter is invalid. It must be a number from 1 to 5000."),
    "filterby_invalid": (400, "Value supplied in filterBy parameter is missing or invalid."),
    "filterop_invalid": (400, "Value supplied in filterOp parameter is invalid."),
    "filtervalue_invalid": (400, "Value supplied in filterValue parameter is missing or invalid."),
    "sortorder_invalid": (400, "Value supplied in sortOrder parameter is invalid."),
    "access_denied": (401, "Access denied: the access token is missing, invalid or expired."),
    "request_not_implemented": (501, "The request is not implemented."),
    "startindex_invalid": (400, "Value supplied in startIndex parameter is invalid. It must be from 0 to 5000."),
    "query_invalid": (400, "The query has a parameter that this request does not have, or has one twice."),
    "payload_invalid": (400, "The body must be one JSON object with the fields of its action's page and no others."),
}

MISSPELT = {
    ("Monitor", "pc_phonecall_invalid"): "pc_phoncall_invalid",
    ("Monitor", "pc_phonecallview_invalid"): "pc_phoncallview_invalid",
    ("Whisper", "pc_phonecall_invalid"): "pc_honecall_invalid",
}


class Refusal(Exception):
    """The request is refused: a code of `MEANINGS`, for the page of that action, with a hint for debugging."""

    def __init__(self, code: str, hint: str = "", *, action: str = "", status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.hint = hint
        self.action = action
        self.status = status

    def answer(self, spelling: str) -> Answer:
        """Return the documented error shape; `spelling` is "documented" or "correct"."""
        status, text = MEANINGS[self.code]
        code = self.code
        if spelling == "documented":
            code = MISSPELT.get((self.action, code), code)
        message = f"{text} ({self.hint})" if self.hint else text
        return Answer(self.status or status, {"error": {"code": code, "message": message}})
