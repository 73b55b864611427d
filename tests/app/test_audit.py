"""callbot audit: what its options mean, and how foreign text becomes a cell. Pure."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app.audit import FORMULA, cell, since_of, user_of
from bot.app.output import visible
from bot.domain.errors import WrongUsage
from bot.domain.permissions import Permissions, Person

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
RULES = Permissions(
    people={
        "U0ANA": Person("U0ANA", "Ana Pop", ("0003*024",)),
        "U0DAN": Person("U0DAN", "Dan Popa", ("0003*211",)),
        "U0POP": Person("U0POP", "Pop", ("0003*212",)),
    }
)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T10:00", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        ("2026-11-20T10:00Z", datetime(2026, 11, 20, 10, 0, tzinfo=UTC)),
        ("2026-11-20T10:00+02:00", datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
    ],
)
def test_since_is_so_long_ago_a_day_or_an_instant(text: str, instant: datetime) -> None:
    assert since_of(text, NOW) == instant


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2 h", "-2h", "2x", "999999999w", "2026-13-01", "٢h", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(WrongUsage, match=r"2h.*2026-11-20T10:00\+02:00"):
        since_of(text, NOW)


@pytest.mark.parametrize(
    ("text", "user"),
    [("U0EVE", "U0EVE"), ("Ana Pop", "U0ANA"), ("ana pop", "U0ANA"), ("dan", "U0DAN"), ("pop", "U0POP")],
)
def test_a_user_is_an_id_a_name_or_part_of_one(text: str, user: str) -> None:
    assert user_of(text, RULES) == user


def test_a_name_of_several_people_is_refused_with_their_ids() -> None:
    with pytest.raises(WrongUsage, match=r"U0ANA \(Ana Pop\), U0DAN \(Dan Popa\)"):
        user_of("an", RULES)


@pytest.mark.parametrize("text", ["Nobody", "", " "])
def test_a_name_of_nobody_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage, match="nobody in the configuration has this name"):
        user_of(text, RULES)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        ("/monitor 210", "/monitor 210"),
        ("=1+1", "'=1+1"),
        ("+15550100", "'+15550100"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("a;=1+1", "a;'=1+1"),
        ("a; +1", "a;' +1"),
        ('a;"=1+1', "a;'\"=1+1"),
        ("a|@SUM(A1);-1", "a|'@SUM(A1);'-1"),
        ('"=1+1', "'\"=1+1"),
        ("a; b", "a; b"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x1b[31mred\u202e", "\\x1b[31mred\\u202e"),
    ],
)
def test_a_cell_is_one_line_and_no_formula(value: object, shown: str) -> None:
    assert cell(value) == shown


@given(st.text())
def test_whatever_was_typed_is_one_printable_line_and_no_formula(text: str) -> None:
    shown = cell(text)
    assert len(shown.splitlines()) <= 1
    parts = [re.sub(r'^["\s]+', "", part) for part in re.split("[;|]", shown)]
    assert not [part for part in parts if part.startswith(FORMULA)]


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u115f\u1160\u3164\uffa0")))
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
