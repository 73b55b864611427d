"""Shapes: in which form an answer came, next to the promised one, and never a value of it."""

import json
from typing import Any

import pytest

from bot.uapi.exchange import Answer
from bot.uapi.shapes import Comparison, container, id_form, of_action, of_call, of_end, of_list, of_presence

VIEW = {
    "id": "01",
    "extension": "0003*210",
    "source": ["+15550142"],
    "destination": ["0003*210"],
    "callerId": "Carla Caller <+15550142>",
    "status": "5",
    "flow": "8",
    "answered": "2026-03-02T16:08:55+03:00",
}
CALL = {
    "id": "b817d2618fe6f1804333",
    "extension": "0003*210",
    "ownerId": "3",
    "ownerName": "Secret Organization",
    "published": "2026-03-02T16:08:50+02:00",
    "phoneCallView": [VIEW],
    "link": {"self": "https://x.x.x.x//uapi/phoneCalls/12/0003*210/b817d2618fe6f1804333"},
}


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def topic(comparisons: tuple[Comparison, ...], name: str) -> tuple[str, bool]:
    (found,) = [one for one in comparisons if one.topic == name]
    return found.here, found.same


def test_the_call_of_the_pages_is_as_documented() -> None:
    assert [one for one in of_call(answer(CALL)) if not one.same] == []


def test_no_value_of_a_call_is_told() -> None:
    told = " ".join(one.here for one in of_call(answer(CALL)))
    values = ("b817", "210", "15550142", "Carla", "Secret", "16:08", "x.x.x.x")
    assert [value for value in values if value in told] == []


def test_a_field_whose_name_may_be_a_persons_is_not_told() -> None:
    told = " ".join(one.here for one in of_call(answer(CALL | {"Carla Caller": 1, "+15550142": 2})))
    assert "Carla" not in told
    assert "15550142" not in told


@pytest.mark.parametrize(
    ("changed", "name", "here", "same"),
    [
        ({"links": {}, "link": {}}, "call: link", "link and links", False),
        ({"colour": "red"}, "call: fields", None, False),
        ({"published": "2026-03-02T16:08:50Z"}, "call: dates", "+03:00, Z", True),
        ({"published": "2026-03-02T16:08:50"}, "call: dates", "+03:00, no offset", False),
        ({"published": 1772460530}, "call: dates", "+03:00, no date", False),
        ({"id": "a/b"}, "call: id", "3 characters, not only letters and digits", False),
        ({"phoneCallView": [VIEW | {"status": 5}]}, "call: numbers", "number and number as text", True),
        ({"phoneCallView": [VIEW | {"status": "busy"}]}, "call: numbers", "number as text and text", False),
        ({"phoneCallView": [VIEW | {"source": "+15550142"}]}, "call: source and destination", "list and text", False),
        ({"phoneCallView": [VIEW | {"id": "1"}]}, "call: view ids", "1 digits", False),
        ({"phoneCallView": [VIEW | {"callerID": "x"}]}, "call: caller id", "callerID and callerId", False),
    ],
)
def test_what_differs_is_told(changed: dict[str, Any], name: str, here: str | None, same: bool) -> None:
    found = topic(of_call(answer(CALL | changed)), name)
    assert found == (here or found[0], same)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (CALL, "a bare object"),
        ([CALL], "a list"),
        ({"entry": [CALL], "totalResults": 1}, "an envelope, entry a list"),
        ({"entry": {"x": CALL}}, "an envelope, entry an object"),
        ([{"entry": [CALL]}], "an envelope in a list"),
        (b"<html>", "nothing that is documented"),
        ({"ok": True}, "nothing that is documented"),
        (b"", "nothing"),
    ],
)
def test_what_surrounds_a_call_has_a_name(body: object, form: str) -> None:
    assert container(answer(body)) == form


@pytest.mark.parametrize("body", [[CALL], {"entry": [CALL]}, {"entry": {"x": CALL}}, [{"entry": [CALL]}]])
def test_a_call_is_looked_at_whatever_surrounds_it(body: object) -> None:
    assert topic(of_call(answer(body)), "call: view ids") == ("2 digits", True)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1,2]", b'{"entry": "x"}', b'{"id": 1, "phoneCallView": [1, {"id": null}]}']
)
def test_whatever_is_answered_can_be_compared(body: bytes) -> None:
    compared = [*of_call(answer(body)), *of_list(answer(body)), *of_action(answer(body)), *of_presence(answer(body))]
    assert [one for one in compared if not one.same]


@pytest.mark.parametrize(
    ("status", "body", "here", "same"),
    [
        (204, b"", "HTTP 204", True),
        (400, {"error": {"code": "pc_phonecall_invalid"}}, "HTTP 400 pc_phonecall_invalid", True),
        (200, {"entry": []}, "HTTP 200, an envelope, entry a list, 0 entries", False),
        (200, CALL, "HTTP 200, a bare object, 1 entries", False),
        (500, b"<html>", "HTTP 500", False),
        (400, {"error": {"code": "user_invalid"}}, "HTTP 400 user_invalid", False),
    ],
)
def test_the_end_of_a_call_shows_itself(status: int, body: object, here: str, same: bool) -> None:
    found = of_end(answer(body, status))
    assert (found.here, found.same) == (here, same)


@pytest.mark.parametrize(("status", "same"), [(202, True), (200, False), (400, False)])
def test_a_put_is_promised_to_be_answered_with_202(status: int, same: bool) -> None:
    assert of_action(answer({"id": "1", "extension": "0003*210", "link": {}}, status))[0].same is same


def test_the_phone_of_the_pages_is_as_documented() -> None:
    phone = {"extension": "0003*024", "status": "1", "registration": [{"agent": "Phone", "registration": "1"}]}
    assert [one for one in of_presence(answer({"entry": [phone]})) if not one.same] == []


def test_a_registration_that_is_flat_is_told() -> None:
    phone = {"extension": "0003*024", "status": "1", "registration": "1"}
    assert topic(of_presence(answer({"entry": [phone]})), "presence: registration") == ("number as text", False)


def test_no_answer_at_all_is_told() -> None:
    assert of_presence(Answer(0, b"")) == (Comparison("presence", "no answer", "HTTP 200", same=False),)


@pytest.mark.parametrize(
    ("one", "form"),
    [
        ("01", "2 digits"),
        (1, "1 digits"),
        ("ab12", "4 lowercase hexadecimal"),
        ("Zz9", "3 letters and digits"),
        (None, "none"),
    ],
)
def test_an_id_is_told_by_its_form(one: object, form: str) -> None:
    assert id_form(one) == form
