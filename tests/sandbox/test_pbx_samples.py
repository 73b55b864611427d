"""The documented examples, played against the sandbox: the same keys, the same kinds of JSON values."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.requests import MEANINGS, MISSPELT
from bot.sandbox.pbx.server import SandboxPbx

Ask = Callable[..., Awaitable[tuple[int, Any]]]

SAMPLES = Path(__file__).parent.parent / "samples" / "uapi"
OWN_CODES = {"startindex_invalid", "query_invalid", "payload_invalid"}


def sample(case: str, name: str) -> Any:
    return json.loads((SAMPLES / case / f"{name}.json").read_text())


def shape(value: Any) -> Any:
    """The value with each text or number replaced by the name of its kind."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def stable(call: Any) -> Any:
    """What of a sample's call does not depend on the day, the caller or the id."""
    kept = ("id", "extension", "status", "destination")
    views = [{key: view[key] for key in kept} for view in call["phoneCallView"]]
    return [call["extension"], call["ownerId"], call["ownerName"], views]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    floor.add_extension("0003*024", user="3", name="Ana Pop")
    return floor


@pytest.fixture
async def play(ask: Ask, floor: Floor, pbx: SandboxPbx) -> Callable[[str], Awaitable[tuple[int, Any, Any]]]:
    """Send a case's request to the call it needs; return status, answer, and the call after the phone was lifted."""

    async def play(case: str) -> tuple[int, Any, Any]:
        pbx.forms.flow = "left out"
        request = sample(case, "request")
        enter = floor.ring if case == "pickup" else floor.talk
        enter(caller="777888", caller_name="John Doe", to="0003*210", call_id=request["path"].rpartition("/")[2])
        status, answer = await ask(request["method"], request["path"], request["body"])
        floor.lift("0003*024")
        _, call = await ask("GET", request["path"])
        return status, answer, call

    return play


Play = Callable[[str], Awaitable[tuple[int, Any, Any]]]
CALLING = ["monitor", "whisper", "bargein", "pickup"]


@pytest.mark.parametrize("case", CALLING)
async def test_the_answer_of_an_intervention_is_the_samples(play: Play, case: str) -> None:
    status, answer, _ = await play(case)
    assert (status, shape(answer)) == (202, shape(sample(case, "202")))


@pytest.mark.parametrize("case", CALLING)
async def test_the_call_listed_afterwards_has_the_samples_shape(play: Play, case: str) -> None:
    _, _, call = await play(case)
    assert shape(call) == shape(sample(case, "200"))


@pytest.mark.parametrize("case", CALLING)
async def test_the_call_listed_afterwards_is_the_samples(play: Play, case: str) -> None:
    _, _, call = await play(case)
    assert stable(call) == stable(sample(case, "200"))


@pytest.mark.parametrize("case", ["monitor", "whisper", "bargein"])
async def test_the_leg_is_the_samples(play: Play, case: str) -> None:
    _, _, call = await play(case)
    leg, samples_leg = call["phoneCallView"][1], sample(case, "200")["phoneCallView"][1]
    assert [leg[key] for key in ("callerId", "source")] == [samples_leg[key] for key in ("callerId", "source")]


async def test_the_picked_view_comes_from_the_samples_phone(play: Play) -> None:
    _, _, call = await play("pickup")
    assert call["phoneCallView"][0]["source"] == sample("pickup", "200")["phoneCallView"][0]["source"]


async def test_the_answer_of_start_recording_is_the_samples(play: Play) -> None:
    status, answer, _ = await play("startrecording")
    expected = sample("startrecording", "200")
    assert (status, shape(answer), stable(answer)) == (200, shape(expected), stable(expected))


async def test_dates_are_in_the_samples_zones(play: Play) -> None:
    _, _, call = await play("monitor")
    expected = sample("monitor", "200")
    assert [call[key][-6:] for key in ("published", "answered")] == [
        expected[key][-6:] for key in ("published", "answered")
    ]


async def test_the_token_answer_is_the_samples(ask: Ask) -> None:
    request = sample("token", "request")
    body = "&".join(f"{key}={value}" for key, value in request["form"].items()).encode()
    status, answer = await ask(request["method"], request["path"], body, **request["headers"])
    assert (status, shape(answer), answer["expires_in"]) == (200, shape(sample("token", "200")), 3600)


async def test_the_token_refusal_is_the_samples(ask: Ask) -> None:
    body = b"grant_type=client_credentials&client_id=sandbox-app&client_secret=wrong"
    status, answer = await ask("POST", "/oauth/token.php", body, Content_Type="application/x-www-form-urlencoded")
    assert (status, answer) == (401, sample("token", "401"))


def test_there_is_a_sample_of_every_documented_code() -> None:
    assert {path.stem for path in (SAMPLES / "errors").iterdir()} == (MEANINGS.keys() - OWN_CODES) | set(
        MISSPELT.values()
    )


@pytest.mark.parametrize("path", sorted((SAMPLES / "errors").iterdir()), ids=lambda path: path.stem)
def test_a_sample_error_has_the_documented_shape(path: Path) -> None:
    assert shape(json.loads(path.read_text())) == {
        "status": "int",
        "body": {"error": {"code": "str", "message": "str"}},
    }
