"""A PBX that says by itself what is wrong with it: 500 internal_server_error, 409 and 429."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.actions import Monitor
from bot.domain.errors import AnswerLost, PbxBusy, PbxFault, PbxUnreachable
from bot.uapi.client import UnifiedApi

ACTION = Monitor.model_validate({"phone_call_view_id": "01", "send_call_to": "0003*024"})


@pytest.fixture
def api(raw: Any, connect: Callable[..., UnifiedApi]) -> UnifiedApi:
    return connect(raw.url)


def said(status: int, body: str = "") -> bytes:
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


DOCUMENTED = '{"error": {"code": "internal_server_error", "message": "Secret inside"}}'


async def test_a_read_is_tried_again_and_then_says_the_documented_fault(api: UnifiedApi, raw: Any) -> None:
    raw.replies = [said(500, DOCUMENTED)]
    with pytest.raises(PbxFault) as caught:
        await api.list("@me", "0003*210")
    assert (caught.value.code, len(raw.heard), "Secret" in str(caught.value)) == ("internal_server_error", 3, False)


async def test_a_fault_without_a_documented_code_is_no_answer(api: UnifiedApi, raw: Any) -> None:
    raw.replies = [said(500, '{"error": {"code": "out_of_coffee"}}')]
    with pytest.raises(PbxUnreachable):
        await api.list("@me", "0003*210")


async def test_after_a_fault_nobody_knows_whether_the_action_was_done(api: UnifiedApi, raw: Any) -> None:
    raw.replies = [said(500, DOCUMENTED)]
    with pytest.raises(AnswerLost) as caught:
        await api.act("@me", "0003*210", "b8", ACTION)
    assert (caught.value.code, len(raw.heard)) == ("internal_server_error", 1)


@pytest.mark.parametrize("status", [409, 429])
async def test_a_busy_pbx_is_asked_again_and_then_said_to_be_busy(api: UnifiedApi, raw: Any, status: int) -> None:
    raw.replies = [said(status)]
    with pytest.raises(PbxBusy):
        await api.list("@me", "0003*210")
    assert len(raw.heard) == 3
