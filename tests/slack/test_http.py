"""Only what Slack signed within five minutes is taken ("Verifying requests from Slack"), and answered as Bolt says."""

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_bolt.response import BoltResponse

from bot.slack.http import WINDOW, http_answer, verify

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
AT = 1531420618
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
    b"channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    b"response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
    b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def test_the_documented_example_is_signed_by_slack() -> None:
    assert verify(SECRET, str(AT), SIGNATURE, BODY, AT)


@pytest.mark.parametrize("seconds", [-WINDOW, -1, 0, 1, WINDOW])
def test_a_signature_is_good_for_five_minutes_to_either_side(seconds: int) -> None:
    assert verify(SECRET, str(AT), SIGNATURE, BODY, AT + seconds)


@pytest.mark.parametrize("seconds", [-WINDOW - 1, WINDOW + 1, 10**9])
def test_an_old_signature_and_one_from_the_future_are_refused(seconds: int) -> None:
    assert not verify(SECRET, str(AT), SIGNATURE, BODY, AT + seconds)


FORGED = {
    "another secret": ("0" * 32, str(AT), SIGNATURE, BODY),
    "no secret": ("", str(AT), sign("", str(AT), BODY), BODY),
    "another body": (SECRET, str(AT), SIGNATURE, BODY + b"x"),
    "an empty body": (SECRET, str(AT), SIGNATURE, b""),
    "another time": (SECRET, str(AT + 1), SIGNATURE, BODY),
    "no signature": (SECRET, str(AT), "", BODY),
    "a version that does not exist": (SECRET, str(AT), SIGNATURE.replace("v0", "v1"), BODY),
    "a signature without its version": (SECRET, str(AT), SIGNATURE.removeprefix("v0="), BODY),
    "a signature in capitals": (SECRET, str(AT), SIGNATURE.upper(), BODY),
    "a cut signature": (SECRET, str(AT), SIGNATURE[:-1], BODY),
    "a signature beyond ASCII": (SECRET, str(AT), SIGNATURE[:-1] + "\u0663", BODY),
}


@pytest.mark.parametrize(("secret", "timestamp", "signature", "body"), FORGED.values(), ids=FORGED)
def test_what_is_forged_is_refused(secret: str, timestamp: str, signature: str, body: bytes) -> None:
    assert not verify(secret, timestamp, signature, body, AT)


@pytest.mark.parametrize(
    "timestamp",
    ["", "x", "1531420618.0", "+1531420618", "-1531420618", " 1531420618", "1e9", "\u0661531420618", "1" * 13],
)
def test_a_time_that_is_no_whole_number_is_refused_even_if_signed(timestamp: str) -> None:
    assert not verify(SECRET, timestamp, sign(SECRET, timestamp, BODY), BODY, AT)


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text(), st.text(), st.binary())
def test_no_header_makes_it_fail(secret: str, timestamp: str, signature: str, body: bytes) -> None:
    assert not verify(secret, timestamp, signature, body, AT)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1), st.binary())
def test_whatever_slack_signs_is_taken(secret: str, body: bytes) -> None:
    assert verify(secret, str(AT), sign(secret, str(AT), body), body, AT)


# ── what Bolt says ──


@pytest.mark.parametrize(("says", "kind"), [("Später", "text/plain"), ({"text": "Später"}, "application/json")])
def test_an_ack_says_of_what_kind_it_is(says: Any, kind: str) -> None:
    answer = http_answer(BoltResponse(status=200, body=says))
    assert (answer.content_type, answer.charset) == (kind, "utf-8")


def test_an_ack_that_says_nothing_is_empty() -> None:
    answer = http_answer(BoltResponse(status=200, body=""))
    assert (answer.status, answer.body) == (200, None)
