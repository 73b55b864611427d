"""Reading presence: one phone is asked for once, a user's phones page by page."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.domain.errors import PbxError, UserInvalid
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.uapi.client import UnifiedApi

Connect = Callable[..., UnifiedApi]


async def test_a_registered_phone_is_reachable(api: UnifiedApi) -> None:
    phone = await api.presence("3", "0003*024")
    assert phone is not None
    assert phone.unreachable is False


async def test_a_phone_that_is_not_registered_is_unreachable(api: UnifiedApi, floor: Floor) -> None:
    floor.add_extension("0003*024", user="3", name="Ana Pop", registered=False)
    phone = await api.presence("3", "0003*024")
    assert phone is not None
    assert phone.unreachable is True


async def test_another_users_phone_is_refused_as_documented(api: UnifiedApi) -> None:
    with pytest.raises(UserInvalid):
        await api.presence("12", "0003*024")


@pytest.mark.parametrize("kind", ["html 500", "cut before", "half json"])
async def test_presence_is_asked_once_and_not_again(api: UnifiedApi, pbx: SandboxPbx, kind: Any) -> None:
    pbx.faults.add(Fault(kind, path_contains="/presence", times=None))
    with pytest.raises(PbxError):
        await api.presence("3", "0003*024")
    assert [request.path for request in pbx.requests] == ["/uapi/extensions/3/0003*024/presence"]


async def test_a_pbx_that_says_nothing_of_the_phone_makes_no_claim(api: UnifiedApi, pbx: SandboxPbx) -> None:
    pbx.faults.add(Fault("204", path_contains="/presence"))
    assert await api.presence("3", "0003*024") is None


async def test_all_phones_of_a_user_are_read_over_pages(api: UnifiedApi, floor: Floor, pbx: SandboxPbx) -> None:
    for number in range(130):
        floor.add_extension(f"0003*{500 + number}", user="77", name="Agent")
    phones = await api.phones("77")
    assert len({phone.extension for phone in phones}) == 130
    assert len(pbx.requests) == 2
