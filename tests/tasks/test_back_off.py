"""Each pause after a failure is twice as long as the one before, up to the longest."""

import pytest

from bot.tasks import back_off


def test_each_pause_is_twice_as_long_until_the_longest() -> None:
    assert [back_off(failures, 0.5, 3.0) for failures in (1, 2, 3, 4, 10_000)] == [0.5, 1.0, 2.0, 3.0, 3.0]


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_jitter_shortens_a_pause_by_up_to_a_half(jitter: float, pause: float) -> None:
    assert back_off(3, 0.5, 3.0, jitter) == pause
