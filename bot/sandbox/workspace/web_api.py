"""Slack's Web API over HTTP: arguments in every form that clients send, tokens, scopes, rate limits, faults, answers.

The scopes are the "Required scopes" of the pages of the methods.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.workspace.faults import SlackFaults, loses_the_answer, refused_by, spoiled_by
from bot.sandbox.workspace.journal import ApiCall, Journal
from bot.sandbox.workspace.limits import RateGate
from bot.sandbox.workspace.message_rules import SlackRefusal

GRANTED = frozenset({"commands", "chat:write", "im:history", "im:write", "channels:history", "groups:history"})
"""What a workspace grants unless it is made otherwise."""
NEEDED = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.open": "im:write",
}
HISTORY = {"C": "channels:history", "G": "groups:history", "D": "im:history"}
"""The scope for a history, by how the id of the channel begins: public, private, direct message."""


class MissingScope(SlackRefusal):
    """The app lacks a scope: the answer names it, and those that it has."""

    def __init__(self, needed: str, provided: frozenset[str]) -> None:
        super().__init__("missing_scope")
        self.needed = needed
        self.provided = provided

    def answer(self) -> dict[str, Any]:
        """The body of the answer."""
        return super().answer() | {"needed": self.needed, "provided": ",".join(sorted(self.provided))}


def check_scope(method: str, args: Mapping[str, Any], provided: frozenset[str]) -> None:
    """Raises `MissingScope` where the app may not use the method on this channel."""
    needed = NEEDED.get(method)
    if method == "conversations.history":
        needed = HISTORY.get(str(args.get("channel"))[:1])
    if needed is not None and needed not in provided:
        raise MissingScope(needed, provided)


Method = Callable[[dict[str, Any]], dict[str, Any]]
OPEN_CONNECTION = "apps.connections.open"
UNREAD = frozenset({"token", "team_id"})
"""Arguments that belong to the request and not to the method."""


class RateLimited(SlackRefusal):
    """Too many requests: `retry_after` in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited", status=429)
        self.retry_after = retry_after


class TokenRevoked(SlackRefusal):
    """The workspace has revoked the app's token: no error of the app."""


class WebApi:
    """Answers requests to `/api/METHOD`. `bot_token_refused`: why the bot token is refused; empty where it is accepted."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        *,
        bot_token: str,
        app_token: str,
        journal: Journal,
        faults: SlackFaults,
        gate: RateGate,
        scopes: frozenset[str],
        bot_token_refused: Callable[[], str] = lambda: "",
    ) -> None:
        self._scopes = scopes
        self._methods = methods
        self._tokens = {bot_token, app_token}
        self._bot_token = bot_token
        self._app_token = app_token
        self._journal = journal
        self._faults = faults
        self._gate = gate
        self._bot_token_refused = bot_token_refused

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request and note it."""
        at, method = time.monotonic(), request.match_info["method"]
        fault = self._faults.take(method)
        args: dict[str, Any] = {}
        try:
            args, token = await arguments(request)
            response = await refused_by(fault) or self._act(method, args, token)
        except TokenRevoked as refusal:
            response = refusal_response(refusal)
        except SlackRefusal as refusal:
            self._journal.refused(method, refusal)
            response = refusal_response(refusal)
        response = await spoiled_by(fault, response)
        lost = loses_the_answer(fault, request)
        answer = json.loads(response.text or "{}") if response.content_type == "application/json" else {}
        self._journal.called(ApiCall(method, args, answer, None if lost else response.status, at))
        return response

    def _act(self, method: str, args: dict[str, Any], token: str | None) -> web.Response:
        """Carry the request out; raises `SlackRefusal`."""
        act = self._methods.get(method)
        if act is None:
            raise SlackRefusal("unknown_method")
        self._check_token(method, token)
        wait = self._gate.request(method)
        if wait is not None:
            raise RateLimited(wait)
        check_scope(method, args, self._scopes)
        granted = {} if method == OPEN_CONNECTION else {"X-OAuth-Scopes": ",".join(sorted(self._scopes))}
        return web.json_response({"ok": True} | act(args), headers=granted)

    def _check_token(self, method: str, token: str | None) -> None:
        """Check the token: present, known and of the right kind; raises `SlackRefusal`."""
        if not token:
            raise SlackRefusal("not_authed")
        if token not in self._tokens:
            raise SlackRefusal("invalid_auth")
        if token == self._bot_token and (why := self._bot_token_refused()):
            raise TokenRevoked(why)
        if token != (self._app_token if method == OPEN_CONNECTION else self._bot_token):
            raise SlackRefusal("not_allowed_token_type")


def refusal_response(refusal: SlackRefusal) -> web.Response:
    """A refusal as an HTTP answer; too many requests with `Retry-After`."""
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, RateLimited) else None
    return web.json_response(refusal.answer(), status=refusal.status, headers=headers)


async def arguments(request: web.Request) -> tuple[dict[str, Any], str | None]:
    """The arguments of a Web API request, and its token.

    They come in the query, a form or JSON; the token in the Authorization header or, except with JSON, as an argument
    ("Using the Slack Web API"). Raises `SlackRefusal`.
    """
    args: dict[str, Any] = dict(request.query)
    token = args.get("token")
    kind = request.content_type
    if kind == "application/json":
        args |= json_object(await request.read())
    elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = await request.post()
        args |= {name: value for name, value in form.items() if isinstance(value, str)}
        token = args.get("token", token)
    elif await request.read():
        raise SlackRefusal("invalid_post_type")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = given.strip()
    return {name: value for name, value in args.items() if name not in UNREAD}, token


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON object, read; raises `SlackRefusal`."""
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise SlackRefusal("invalid_json") from None
    if not isinstance(found, dict):
        raise SlackRefusal("json_not_object")
    return found
