"""What the card says is true: why it ended, what the PBX refused, and what became of a phone that nobody could ring."""

from datetime import UTC, datetime
from typing import Any

from bot.ledger.ledger import Ledger


async def typed(house: Any, text: str) -> None:
    await house.ana_types(text, raw=True)


async def monitoring(house: Any) -> str:
    """Ana listens to a call of Bob's; its id."""
    call = str(house.talk())
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.lift("0003*024")
    await house.card("Connected")
    return call


def labels(card: Any) -> list[str]:
    return [button.label for button in card.buttons()]


async def test_a_call_that_ends_while_the_phone_still_rings_ends_the_card(house: Any) -> None:
    call = house.talk()
    await typed(house, "/monitor 0003*210")
    await house.card("Ringing")
    house.floor.hang_up(call)
    card = await house.card("Ended: Bob's call is over")
    assert (labels(card), [each.state.value for each in await house.audit_log()]) == ([], ["ended"])


async def test_a_call_that_is_over_is_not_taken_for_one_that_was_left(house: Any) -> None:
    call = await monitoring(house)
    house.floor.hang_up(call)
    card = await house.card("Ended")
    assert card.text.startswith("Ended: Bob's call is over")


async def test_each_state_that_was_reached_is_a_line_on_the_card(house: Any) -> None:
    call = await monitoring(house)
    house.floor.leave(call, "0003*024")
    card = await house.card("Ended: You left; Bob's call goes on")
    [steps] = [line for line in card.lines() if "Monitor: Asked" in line]
    assert [line.partition("> ")[2] for line in steps.split("\n")] == [
        *("Monitor: Asked", "Monitor: Ringing", "Monitor: Connected", "Monitor: Ended")
    ]


async def test_a_call_on_hold_is_a_conversation_and_the_card_says_since_when_it_is_held(house: Any) -> None:
    call = house.talk()
    house.floor.hold(call)
    await typed(house, "/monitor 0003*210")
    card = await house.card("Ringing")
    held = int(house.floor.call(call).view("01").on_hold.timestamp())
    assert [line for line in card.lines() if line.startswith(f"On hold since <!date^{held}^")]


async def test_a_hold_changes_the_card_while_the_supervisor_listens(house: Any) -> None:
    call = await monitoring(house)
    house.floor.hold(call)
    await house.workspace.until(lambda: "On hold since" in "\n".join(house.cards("U0ANA")[-1].lines()))


async def test_the_card_shows_every_side_of_the_call(house: Any) -> None:
    await monitoring(house)
    card = await house.card("Connected")
    lines = card.lines()
    assert "Party: Bob Ionescu 0003*210" in lines
    assert "Supervisor's leg on: Bob Ionescu 0003*210" in lines
    assert [line for line in lines if line.startswith(("From: ", "To: ", "Caller id: "))] == [
        "From: +15550142",
        "To: Bob Ionescu 0003*210",
        "Caller id: “Carla Caller” <+15550142>",
        "From: Ana Pop 0003*024",
        "To: Bob Ionescu 0003*210",
    ]
    assert [line.partition(" <!date")[0] for line in lines if "since <!date" in line] == [
        "On call, incoming since",
        "On call, internal since",
    ]


async def test_a_busy_phone_that_is_rung_anyway_is_not_answered_and_may_be_asked_for_again(house: Any) -> None:
    """The PBX accepts and rings nothing: the phone is in a call and has no call waiting."""

    async def ring_anyway() -> None:
        await house.workspace.click("U0ANA", await house.card("Asked: your phone is busy"), "Ring anyway")

    house.floor.talk(caller="+15550143", to="0003*024")
    house.talk()
    await typed(house, "/monitor 0003*210 wait=1")
    await ring_anyway()
    card = await house.card("Not answered: no connection seen in 1 s")
    assert "Who hears Ana: nobody (no connection seen)" in card.lines()
    await house.workspace.click("U0ANA", card, "Whisper")
    await ring_anyway()
    assert (await house.card("Asked: Whisper")).ts == card.ts
    assert house.actions() == ["Monitor", "Whisper"]
    ledger = await Ledger.open(house.environment()["DATABASE_URL"], now=lambda: datetime.now(UTC))
    followed = [one.name for one in await ledger.following()]
    await ledger.close()
    assert followed == ["Whisper"], "what was not answered can no more take the new leg for its own"


async def test_a_pickup_of_a_call_that_is_answered_meanwhile_is_not_connected(house: Any) -> None:
    call = house.floor.ring(caller="+15550142", to="0003*210")
    await typed(house, "/pickup 0003*210")
    await house.card("Ringing", "C0FLOOR")
    house.floor.answer(call)
    await house.workspace.until(lambda: "On call" in "\n".join(house.cards()[-1].lines()))
    assert house.cards()[-1].text.startswith("Ringing")
    house.floor.hang_up(call)
    await house.card("Ended: Bob's call is over", "C0FLOOR")


# ── the PBX says no ──

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


async def test_each_documented_code_is_refused_with_what_to_do_and_the_code(empty_house: Any, lying_pbx: Any) -> None:
    house = empty_house
    await house.start_bot_of(lying_pbx)
    view = {"id": "01", "extension": "0003*210", "source": ["+15550142"], "status": "5"}
    lying_pbx.call = {"id": "c1", "extension": "0003*210", "phoneCallView": [view]}
    shown = {}
    for code in ADVICE:
        lying_pbx.refusal = (501 if code.startswith("request") else 400, {"error": {"code": code, "message": "no"}})
        await typed(house, "/barge 0003*210")
        await house.workspace.until(
            lambda code=code: [card for card in house.cards() if f"({code})" in "\n".join(card.lines())]
        )
        [card] = house.cards()
        shown[code] = card.text.startswith("Refused") * next(line for line in card.lines() if f"({code})" in line)
    assert {code: words for code, words in ADVICE.items() if words not in shown[code]} == {}
    assert {each.state.value for each in await house.audit_log()} == {"refused"}


async def test_a_phone_that_is_no_phone_is_refused_by_the_sandbox_and_may_be_asked_for_again(house: Any) -> None:
    house.floor.extension("0003*024").kind = "queue"
    house.talk()
    await typed(house, "/monitor 0003*210")
    card = await house.card("Refused: Monitor")
    assert "(pc_sendcallto_invalid)" in "\n".join(card.lines())
    house.floor.extension("0003*024").kind = "phone terminal"
    await house.workspace.click("U0ANA", card, "Monitor")
    await house.card("Ringing")


# ── buttons of another time ──


OLD_BUTTONS = [
    ("intervene:Monitor:0", "monitor|0003*210|c1"),
    ("intervene:Monitor:0", None),
    ("intervene:Monitor:0", '{"v":2,"o":"C0FLOOR","i":{}}'),
    (
        "intervene:Monitor:0",
        '{"v":1,"o":"C","i":{"action":"Monitor","target":{"kind":"short","text":"1"},"call":".."}}',
    ),
    ("hang_up_v1", "whatever"),
    ("", ""),
]


async def test_a_button_that_nobody_knows_any_more_is_answered_kindly(house: Any) -> None:
    house.talk()
    await typed(house, "/calls")
    listed = await house.told("U0ANA", "1 live call")
    for action_id, value in OLD_BUTTONS:
        clicked = await house.workspace.click_stale("U0ANA", listed, action_id=action_id, value=value, block_id="old")
        assert clicked.acknowledged
    await house.workspace.until(lambda: len(house.workspace.private("U0ANA")) == 1 + len(OLD_BUTTONS))
    told = {message.lines()[0] for message in house.workspace.private("U0ANA")[1:]}
    assert told == {"This button is too old, or from another version of callbot. Nothing was sent. For example: /calls"}
    assert house.pbx.puts() == []


async def test_a_button_of_a_call_that_is_over_is_answered_kindly(house: Any) -> None:
    call = house.talk()
    await typed(house, "/record 0003*210")
    card = await house.card("Recording", "C0FLOOR")
    stop = card.buttons()[-1]
    house.floor.hang_up(call)
    card = await house.card("Ended: Bob's call is over", "C0FLOOR")
    assert card.buttons() == []
    await house.workspace.click_stale(
        "U0ANA", card, action_id=stop.action_id, value=stop.value, block_id=stop.block_id, label=stop.label
    )
    await house.told("U0ANA", "This call is over, was never on this extension")
    assert house.actions() == ["StartRecording"]
