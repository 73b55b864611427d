"""What the PBX refuses: one sentence on the card, or in private where nothing was sent, and never the PBX's own words."""

import json
from typing import Any

import pytest

VIEW = {"id": "01", "extension": "0003*210", "source": ["+15550142"], "destination": ["0003*210"], "status": "5"}
CALL = {"id": "c1", "extension": "0003*210", "published": "2026-11-21T11:59:00Z", "phoneCallView": [VIEW]}
FOREIGN = "<!here> see https://evil.example"
PAGE = b"<html><body><h1>evil.example</h1></body></html>"


def error(code: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": FOREIGN}}).encode()


@pytest.fixture
def pbx(lying_pbx: Any) -> Any:
    """It shows one call of Bob's."""
    lying_pbx.call = CALL
    return lying_pbx


def everything(messages: list[Any]) -> str:
    return "\n".join("\n".join((message.text, *message.lines())) for message in messages)


ADVICE = {
    "pc_phonecall_invalid": "does not know this call any more",
    "pc_phoncall_invalid": "does not know this call any more",
    "pc_honecall_invalid": "does not know this call any more",
    "pc_phonecallview_invalid": "This side of the call has just changed",
    "pc_phoncallview_invalid": "This side of the call has just changed",
    "pc_sendcallto_invalid": "it must be a phone terminal of the same organisation",
    "pc_timeout_invalid": "Repeat the request with wait=20",
    "pc_callerid_invalid": 'Write as="John Doe <+3334444>"',
    "pc_private_invalid": "Repeat the request without it",
    "pc_recformat_invalid": "Repeat the request with format=wav",
    "user_invalid": "check its uapi_user",
    "extension_invalid": "The PBX does not know this extension",
    "request_not_implemented": "This PBX does not offer this action",
    "surprise_invalid": "The PBX refused the request",
}


async def test_each_documented_code_is_refused_with_what_to_do_and_the_code(empty_house: Any, pbx: Any) -> None:
    house = empty_house
    await house.start_bot_of(pbx)
    shown = {}
    for code in ADVICE:
        pbx.to_actions = (501 if code.startswith("request") else 400, error(code))
        await house.ana_types("/barge 0003*210")
        await house.workspace.until(
            lambda code=code: [card for card in house.cards() if f"({code})" in "\n".join(card.lines())]
        )
        [card] = house.cards()
        assert "evil" not in everything([card])
        shown[code] = card.text.startswith("Refused") * next(line for line in card.lines() if f"({code})" in line)
    assert {code: words for code, words in ADVICE.items() if words not in shown[code]} == {}
    assert {each.state.value for each in await house.audit_log()} == {"refused"}


async def test_a_phone_that_is_no_phone_is_refused_by_the_sandbox_and_may_be_asked_for_again(house: Any) -> None:
    house.floor.extension("0003*024").kind = "queue"
    house.talk()
    await house.ana_types("/monitor 0003*210")
    card = await house.card("Refused: Monitor")
    assert "(pc_sendcallto_invalid)" in "\n".join(card.lines())
    house.floor.extension("0003*024").kind = "phone terminal"
    await house.workspace.click("U0ANA", card, "Monitor")
    await house.card("Ringing")


ON_THE_CARD: dict[str, tuple[int, bytes, str]] = {
    "a misspelt code of rights": (403, error("access_denided"), "(access_denided)"),
    "a code that is a text of its own": (400, error(FOREIGN), "for a reason that callbot does not know"),
    "an error page": (400, PAGE, "for a reason that callbot does not know"),
    "nothing": (400, b"", "for a reason that callbot does not know"),
    "half an answer": (400, error("pc_sendcallto_invalid")[:40], "for a reason that callbot does not know"),
    "too many requests": (429, PAGE, "The PBX is busy. Try again in a moment."),
    "an error where it says yes": (200, error("pc_callerid_invalid"), 'Write as="John Doe <+3334444>"'),
}


@pytest.mark.parametrize(("status", "body", "words"), ON_THE_CARD.values(), ids=ON_THE_CARD)
async def test_a_refusal_is_one_sentence_on_the_card(
    *, empty_house: Any, pbx: Any, status: int, body: bytes, words: str
) -> None:
    house, pbx.to_actions = empty_house, (status, body)
    await house.start_bot_of(pbx)
    await house.ana_types("/monitor 0003*210", raw=True)
    card = await house.card("Refused: Monitor")
    assert words in "\n".join(card.lines())
    assert (len(pbx.puts), "evil" in everything([card])) == (1, False)
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
    *, empty_house: Any, pbx: Any, status: int, body: bytes, words: str
) -> None:
    house, pbx.to_reads = empty_house, (status, body)
    await house.start_bot_of(pbx)
    await house.ana_types("/monitor 0003*210", raw=True)
    answer = await house.told("U0ANA", words)
    assert ("evil" in everything([answer]), pbx.puts, house.cards("U0ANA")) == (False, [], [])
    assert [f"Request {entry.id}" in answer.lines() for entry in await house.audit_log()] == [True]


async def test_the_log_has_a_line_for_each_step_and_each_has_the_id_that_the_card_shows(
    empty_house: Any, pbx: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    house, pbx.to_actions = empty_house, (400, error("pc_sendcallto_invalid"))
    await house.start_bot_of(pbx)
    await house.ana_types("/monitor 0003*210", raw=True)
    await house.card("Refused: Monitor")
    [entry] = await house.audit_log()
    lines = [line for line in capsys.readouterr().out.splitlines() if f"intervention={entry.id}" in line]
    steps = [line.partition("] ")[2].split()[0] for line in lines]
    assert [step for step in steps if not step.startswith("pbx")] == ["asked", "read", "allowed", "claimed", "put"]
