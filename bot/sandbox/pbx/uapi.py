"""UnifiedAPI itself: a request in, the answer the documentation promises out. HTTP is in server.py.

Tokens are from the Obtain Authorization page: an App that is trusted posts its key and secret with
`grant_type=client_credentials`; the token is good for an hour, sent as `Authorization: Bearer`.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl

from bot.sandbox.pbx.actions import RINGING_ACTIONS, Fields, check_format, intervention_of, read_fields, view_of
from bot.sandbox.pbx.answers import CALL_FIELDS, PRESENCE_FIELDS, Answers, Entry, Forms, Json, Kind, page
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call, Extension
from bot.sandbox.pbx.requests import Answer, Refusal, Request

KNOWN_FIELDS = {"client_id", "client_secret", "grant_type", "type", "redirect_uri", "state"}
TOKEN = re.compile(r"[A-Za-z0-9_.-]{10,}")


class Tokens:
    """Access tokens: issued, accepted, expired, revoked. `lifetime` is in seconds of `clock`."""

    def __init__(
        self, client_id: str, client_secret: str, lifetime: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = (client_id, client_secret)
        self._lifetime = lifetime
        self._clock = clock
        self._good_until: dict[str, float] = {}
        self.issued = 0

    def answer(self, request: Request) -> Answer:
        """Answer a request to the token endpoint: a token, or an `error` as OAuth 2.0 names them."""
        if request.method != "POST" or request.media_type != "application/x-www-form-urlencoded":
            return Answer(400, {"error": "invalid_request"})
        pairs = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs) or not form.keys() <= KNOWN_FIELDS:
            return Answer(400, {"error": "invalid_request"})
        given = form.get("client_id", ""), form.get("client_secret", "")
        if not all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(given, self._client, strict=True)):
            return Answer(401, {"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        lifetime = int(self._lifetime) if self._lifetime == int(self._lifetime) else self._lifetime
        return Answer(200, {"access_token": self._issue(), "expires_in": lifetime})

    def accept(self, token: str) -> None:
        """Accept a token that no request has asked for, until tokens are revoked."""
        if not TOKEN.fullmatch(token):
            raise ValueError("a token has ten or more letters, digits and _ . -")
        self._good_until[token] = float("inf")

    def revoke(self) -> None:
        """Revoke all tokens."""
        self._good_until.clear()

    def good(self, authorization: str) -> bool:
        """Whether the value of an Authorization header carries a token that is accepted now."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._clock() < self._good_until.get(token, float("-inf"))

    def _issue(self) -> str:
        now = self._clock()
        self._good_until = {token: until for token, until in self._good_until.items() if until > now}
        token = secrets.token_urlsafe(24)
        self._good_until[token] = now + self._lifetime
        self.issued += 1
        return token


PREFIXES = {"uapi", "unifiedapi"}
CALLS = Kind(keys=("id", "published"), fields=CALL_FIELDS)
PHONES = Kind(keys=("extension",), fields=PRESENCE_FIELDS)
# Object-Id: letters, digits, `_`, `.` and `-` (OpenSocial's grammar, which the Data Types page takes over).
CALL_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}")


class UnifiedApi:
    """Answers `/uapi/phoneCalls/...`, `/uapi/extensions/.../presence` and the token endpoint for one floor."""

    def __init__(self, floor: Floor, tokens: Tokens, forms: Forms) -> None:
        self._floor = floor
        self._tokens = tokens
        self._forms = forms
        self._answers = Answers(floor, forms)

    def answer(self, request: Request, action_status: int | None = None) -> Answer:
        """Carry the request out and answer it; `action_status` overrides the status of an accepted action."""
        if request.path == "/oauth/token.php":
            return self._tokens.answer(request)
        try:
            return self._route(request, action_status)
        except Refusal as refusal:
            return refusal.answer(self._forms.spelling)

    def empty_list(self) -> Json:
        """Return the envelope of a list without entries."""
        return page([], {}, CALLS, "")

    def _route(self, request: Request, action_status: int | None) -> Answer:
        prefix, *rest = request.segments or [""]
        if prefix not in PREFIXES:
            raise Refusal("request_not_implemented", "no such path", status=404)
        # A token in the address ends up in logs; the Obtain Authorization page allows it, this PBX does not.
        in_address = "accessRequestToken" in request.query
        if in_address or not self._tokens.good(request.headers.get("authorization", "")):
            raise Refusal("access_denied", status=self._forms.unauthenticated)
        if len(request.query) != len(request.query_pairs):
            raise Refusal("query_invalid", "a parameter twice")
        match request.method, rest:
            case "GET", ["phoneCalls", user, extension]:
                return self._list(request, self._scope(user, extension))
            case "GET", ["phoneCalls", user, extension, call_id]:
                return self._read(request, self._scope(user, extension), call_id)
            case "PUT", ["phoneCalls", user, extension]:
                self._scope(user, extension)
                action = str(read_fields(request)["action"])
                raise Refusal("pc_phonecall_invalid", "missing: that would be every call", action=action)
            case "PUT", ["phoneCalls", user, extension, call_id]:
                return self._act(request, self._scope(user, extension), call_id, action_status)
            case "GET", ["extensions", user, extension, "presence"]:
                return self._presence(request, self._scope(user, extension))
        raise Refusal("request_not_implemented")

    def _scope(self, user: str, number: str) -> list[Extension]:
        """Return the extensions that the address means: the token is one of the organisation, `@me` sees them all."""
        everything = self._floor.extensions()
        authenticated = user in {"@me", "@viewer"}
        owned = [known for known in everything if authenticated or known.user == user]
        if number == "@self" and user == "@owner":
            raise Refusal("extension_invalid", "@self does not go with @owner")
        if user != "@owner" and not authenticated and not owned:
            raise Refusal("user_invalid")
        if number == "@self":
            return owned
        meant = [known for known in everything if known.number == number]
        if not meant:
            raise Refusal("extension_invalid")
        if user != "@owner" and meant[0] not in owned:
            raise Refusal("user_invalid", "the user does not own the extension")
        return meant

    def _visible(self, scope: list[Extension]) -> list[Call]:
        numbers = frozenset(known.number for known in scope)
        return [call for call in self._floor.calls() if call.involves(numbers)]

    def _find(self, scope: list[Extension], call_id: str, action: str = "") -> Call | None:
        if not CALL_ID.fullmatch(call_id):
            raise Refusal("pc_phonecall_invalid", action=action)
        return next((call for call in self._visible(scope) if call.id == call_id), None)

    def _page_of(self, calls: list[Call], request: Request) -> Json:
        shown = self._answers.call
        entries = [Entry(partial(shown, call), {"id": call.id, "published": call.published}) for call in calls]
        return page(entries, request.query, CALLS, self._forms.link_root + request.path)

    def _list(self, request: Request, scope: list[Extension]) -> Answer:
        return Answer(200, self._page_of(self._visible(scope), request))

    def _read(self, request: Request, scope: list[Extension], call_id: str) -> Answer:
        call = self._find(scope, call_id)
        envelope = self._page_of([call] if call else [], request)
        if call:
            return Answer(200, self._answers.single(self._answers.call(call), envelope))
        if self._forms.gone == "400":
            raise Refusal("pc_phonecall_invalid")
        return Answer(204) if self._forms.gone == "204" else Answer(200, envelope)

    def _presence(self, request: Request, scope: list[Extension]) -> Answer:
        entries = [Entry(partial(self._answers.presence, known), {"extension": known.number}) for known in scope]
        return Answer(200, page(entries, request.query, PHONES, self._forms.link_root + request.path))

    def _act(self, request: Request, scope: list[Extension], call_id: str, status: int | None) -> Answer:
        fields = read_fields(request)
        action = str(fields["action"])
        call = self._find(scope, call_id, action)
        if call is None:
            raise Refusal("pc_phonecall_invalid", action=action)
        documented = 202 if action in RINGING_ACTIONS else 200
        if action in RINGING_ACTIONS:
            # The answer does not say whether the phone can ring: 202 only means that the request is accepted.
            self._floor.intervene(intervention_of(fields, call, self._floor))
        else:
            self._record(fields, call)
        return self._accepted(call, status or self._forms.action or documented)

    def _record(self, fields: Fields, call: Call) -> None:
        view = view_of(fields, call)
        if fields["action"] == "StopRecording":
            self._floor.stop_recording(call.id, view.id)
            return
        check_format(fields)
        self._floor.record(call.id, view.id)

    def _accepted(self, call: Call, status: int) -> Answer:
        if status == 204:
            return Answer(204)
        if status == 202:
            return Answer(202, self._answers.receipt(call))
        whole = self._answers.call(call, of_action=True)
        return Answer(200, self._answers.single(whole, self.empty_list() | {"entry": [whole], "totalResults": 1}))
