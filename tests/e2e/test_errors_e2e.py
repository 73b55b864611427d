"""What the PBX says no with is one clear sentence on the card or in private, and nothing of its own words is shown."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

VIEW = {"id": "01", "extension": "0003*210", "source": ["+15550142"], "destination": ["0003*210"], "status": "5"}
CALL = {"id": "c1", "extension": "0003*210", "published": "2026-11-21T11:59:00Z", "phoneCallView": [VIEW]}
FOREIGN = "<!here> see https://evil.example"
PAGE = b"<html><body><h1>evil.example</h1></body></html>"


def error(code: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": FOREIGN}}).encode()


class RefusingPbx:
    """Shows one call, and says no to reads or to actions with what it is given."""

    def __init__(self) -> None:
        self.to_reads: tuple[int, bytes] = (200, json.dumps(CALL).encode())
        self.to_actions: tuple[int, bytes] = (202, b"")
        self.puts = 0
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.puts += request.method == "PUT"
        status, body = self.to_actions if request.method == "PUT" else self.to_reads
        return web.Response(status=status, body=body, content_type="application/json")


@pytest.fixture
async def pbx() -> AsyncIterator[RefusingPbx]:
    pbx = RefusingPbx()
    runner = web.ServerRunner(web.Server(pbx.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pbx.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield pbx
    await runner.cleanup()


def everything(messages: list[Any]) -> str:
    return "\n".join("\n".join((message.text, *message.lines())) for message in messages)


ON_THE_CARD: dict[str, tuple[int, bytes, str]] = {
    "a misspelt code": (400, error("pc_phoncall_invalid"), "it is probably over. Type /calls"),
    "another misspelt code": (400, error("pc_honecall_invalid"), "(pc_honecall_invalid)"),
    "a code of the phone": (400, error("pc_sendcallto_invalid"), "Ask the person who looks after callbot.toml"),
    "a misspelt code of rights": (403, error("access_denided"), "(access_denided)"),
    "an unknown code": (400, error("pc_moon_invalid"), "for a reason that callbot does not know"),
    "an unknown code, as it came": (400, error("pc_moon_invalid"), "(pc_moon_invalid)"),
    "a code that is a text of its own": (400, error(FOREIGN), "for a reason that callbot does not know"),
    "an error page": (400, PAGE, "for a reason that callbot does not know"),
    "nothing": (400, b"", "for a reason that callbot does not know"),
    "half an answer": (400, error("pc_sendcallto_invalid")[:40], "for a reason that callbot does not know"),
    "too many requests": (429, PAGE, "The PBX is busy. Try again in a moment."),
    "an action that it does not know": (501, error("request_not_implemented"), "does not offer this action"),
    "an error where it says yes": (200, error("pc_callerid_invalid"), 'Write as="John Doe <+3334444>"'),
}


@pytest.mark.parametrize(("status", "body", "words"), ON_THE_CARD.values(), ids=ON_THE_CARD)
async def test_a_refusal_is_one_sentence_on_the_card(
    *, empty_house: Any, pbx: RefusingPbx, status: int, body: bytes, words: str
) -> None:
    house, pbx.to_actions = empty_house, (status, body)
    await house.start_bot_of(pbx)
    await house.ana_types("/monitor 0003*210", raw=True)
    card = await house.card("Refused: Monitor")
    assert words in "\n".join(card.lines())
    assert (pbx.puts, "evil" in everything([card])) == (1, False)
    assert [f"Request {entry.id}" in card.lines() for entry in await house.audit_log()] == [True]


IN_PRIVATE: dict[str, tuple[int, bytes, str]] = {
    "a user that it does not know": (400, error("user_invalid"), "check its uapi_user. (user_invalid)"),
    "an extension that it does not know": (400, error("extension_invalid"), "Check its number and ask again."),
    "a list that it does not make": (400, error("count_invalid"), "(count_invalid)"),
    "an unknown code": (400, error("pc_moon_invalid"), "(pc_moon_invalid)"),
    "rights that lack": (403, error("access_denided"), "check the rights of callbot's App. (access_denided)"),
    "a token that is not accepted": (401, b"", "check callbot's App on the PBX."),
    "an error page": (404, PAGE, "for a reason that callbot does not know"),
    "a fault of its own": (501, error("internal_server_error"), "Something failed inside the PBX"),
    "no JSON": (200, PAGE, "or not in a way that can be read"),
    "nothing": (200, b"", "or not in a way that can be read"),
    "half an answer": (200, json.dumps(CALL).encode()[:50], "or not in a way that can be read"),
}


@pytest.mark.parametrize(("status", "body", "words"), IN_PRIVATE.values(), ids=IN_PRIVATE)
async def test_a_call_that_cannot_be_read_is_one_sentence_in_private_and_nothing_is_sent(
    *, empty_house: Any, pbx: RefusingPbx, status: int, body: bytes, words: str
) -> None:
    house, pbx.to_reads = empty_house, (status, body)
    await house.start_bot_of(pbx)
    await house.ana_types("/monitor 0003*210", raw=True)
    answer = await house.told("U0ANA", words)
    assert ("evil" in everything([answer]), pbx.puts, house.cards("U0ANA")) == (False, 0, [])
    assert [f"Request {entry.id}" in answer.lines() for entry in await house.audit_log()] == [True]


async def test_the_log_has_a_line_for_each_step_and_each_has_the_id_that_the_card_shows(
    empty_house: Any, pbx: RefusingPbx, capsys: pytest.CaptureFixture[str]
) -> None:
    house, pbx.to_actions = empty_house, (400, error("pc_sendcallto_invalid"))
    await house.start_bot_of(pbx)
    await house.ana_types("/monitor 0003*210", raw=True)
    await house.card("Refused: Monitor")
    [entry] = await house.audit_log()
    lines = [line for line in capsys.readouterr().out.splitlines() if f"intervention={entry.id}" in line]
    steps = [line.partition("] ")[2].split()[0] for line in lines]
    assert [step for step in steps if not step.startswith("pbx")] == ["asked", "read", "allowed", "claimed", "put"]
