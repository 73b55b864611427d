"""The control interface of the sandbox PBX: the floor's methods as JSON over HTTP, for another process.

Only requests with a loopback Host and a JSON body are answered: another web page can send neither.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, fields
from typing import Protocol
from urllib.parse import urlsplit

from bot.sandbox.pbx.answers import Forms
from bot.sandbox.pbx.faults import Fault, Faults, Meanwhile
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.phones import Call
from bot.sandbox.pbx.requests import Answer, Request

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
SHOWN_REQUESTS = 200


class Controlled(Protocol):
    """What the control interface needs of the PBX (`bot.sandbox.pbx.server.SandboxPbx`)."""

    floor: Floor
    faults: Faults
    forms: Forms
    meanwhile: Meanwhile
    requests: list[Request]


class Control:
    """Answers `/control/…`: 200 with JSON, 400 for a wrong field, 404 for what does not exist."""

    def __init__(self, pbx: Controlled) -> None:
        self._pbx = pbx

    def answer(self, request: Request) -> Answer:
        """Carry the request out and return the result."""
        if _host(request) not in LOOPBACK:
            return _problem(403, "only on this machine")
        name = request.path.removeprefix("/control/").removesuffix("/")
        if request.method == "GET":
            return self._show(name)
        if request.method != "POST" or name not in self._verbs():
            return _problem(404, "no such control")
        return self._do(self._verbs()[name], request)

    def _do(self, verb: Callable[..., object], request: Request) -> Answer:
        given = request.json
        if request.media_type != "application/json" or not isinstance(given, dict):
            return _problem(400, "a JSON object, as application/json")
        try:
            return Answer(200, {"result": verb(**given)})
        except LookupError as missing:
            return _problem(404, str(missing))
        except (TypeError, ValueError) as error:
            return _problem(400, str(error))

    def _verbs(self) -> dict[str, Callable[..., object]]:
        floor = self._pbx.floor
        return {
            "extensions": lambda **given: asdict(floor.add_extension(**given)),
            "ring": floor.ring,
            "talk": floor.talk,
            "crowd": floor.crowd,
            "hop": floor.hop,
            "answer": floor.answer,
            "hold": floor.hold,
            "unhold": floor.unhold,
            "park": floor.park,
            "transfer": floor.transfer,
            "unpark": floor.unpark,
            "misdate": floor.misdate,
            "hang-up": floor.hang_up,
            "lift": floor.lift,
            "leave": floor.leave,
            "faults": lambda **given: self._pbx.faults.add(Fault(**given)),
            "forms": self._set_forms,
            "meanwhile": self._order,
        }

    def _show(self, name: str) -> Answer:
        if name == "calls":
            return Answer(200, {"calls": [_shown(call) for call in self._pbx.floor.calls()]})
        if name == "extensions":
            floor = self._pbx.floor
            shown = [asdict(known) | {"ringing": floor.ringing(known.number)} for known in floor.extensions()]
            return Answer(200, {"extensions": shown})
        if name == "forms":
            return Answer(200, {"forms": asdict(self._pbx.forms)})
        if name == "requests":
            return Answer(200, {"requests": [_seen(seen) for seen in self._pbx.requests[-SHOWN_REQUESTS:]]})
        return _problem(404, "no such control")

    def _order(self, *, after: str, verb: str, given: dict[str, object]) -> None:
        """Do that after the next request whose path and query contain `after`, if it can be done then."""
        if verb not in self._verbs() or not isinstance(after, str):
            raise ValueError(f"no such control: {verb}")

        def happen() -> None:
            with suppress(LookupError, TypeError, ValueError):
                self._verbs()[verb](**given)

        self._pbx.meanwhile.after(after, happen)

    def _set_forms(self, **given: object) -> object:
        for name, value in given.items():
            setattr(self._pbx.forms, name, value)
        return asdict(self._pbx.forms)


def _host(request: Request) -> str | None:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return None


def _problem(status: int, text: str) -> Answer:
    return Answer(status, {"problem": text})


def _plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _shown(call: Call) -> dict[str, object]:
    shown = {known.name: _plain(getattr(call, known.name)) for known in fields(call)}
    shown["views"] = [{key: _plain(value) for key, value in asdict(view).items()} for view in call.views]
    return shown


def _seen(request: Request) -> dict[str, object]:
    """Return a request without its credentials: without headers, and without the body of the token endpoint."""
    body = None if request.path.startswith("/oauth/") else request.json
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "json": body,
        "status": request.status,
        "at": request.at,
    }
