"""What the PBX says of a phone, in every documented form."""

import pytest

from bot.domain.calls import PhoneSeen, Presence, presence_from


def read(value: object) -> Presence:
    found = presence_from(value)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("0", PhoneSeen.UNKNOWN),
        ("1", PhoneSeen.ONLINE),
        (2, PhoneSeen.RINGING),
        ("3", PhoneSeen.BUSY),
        (9, PhoneSeen.UNKNOWN),
        (None, PhoneSeen.UNKNOWN),
        ("busy", PhoneSeen.UNKNOWN),
    ],
    ids=str,
)
def test_the_state_is_a_number_or_a_numeric_string(status: object, state: PhoneSeen) -> None:
    assert read({"extension": "0003*024", "status": status}).status is state


@pytest.mark.parametrize(
    ("registration", "unreachable"),
    [
        ([{"agent": "Desk", "registration": "-1"}], True),
        ([{"agent": "Desk", "registration": -2}], True),
        ([{"registration": "-1"}, {"registration": "-2"}], True),
        ([{"registration": "-1"}, {"registration": "1"}], False),
        ([{"registration": "1"}], False),
        ([{"registration": "2"}], False),
        ([{"registration": "0"}], False),
        ([{"registration": "-1"}, {"agent": "Soft"}], False),
        ({"registration": "-1"}, True),
        ("-1", True),
        (-2, True),
        ("1", False),
        ([], False),
        (None, False),
        ("nonsense", False),
    ],
    ids=str,
)
def test_a_phone_is_unreachable_only_where_every_device_is_surely_not_registered(
    registration: object, unreachable: bool
) -> None:
    assert read({"extension": "0003*024", "registration": registration}).seen is (
        PhoneSeen.NOT_REGISTERED if unreachable else PhoneSeen.UNKNOWN
    )


@pytest.mark.parametrize("value", [None, [], {}, {"extension": ""}, "0003*024", {"extension": ["0003*024"]}], ids=str)
def test_what_names_no_phone_is_none(value: object) -> None:
    assert presence_from(value) is None
