"""Every documented code in every documented spelling is one error that says what to do."""

import pytest

from bot.errors import (
    REASONS,
    AccessDenied,
    AlreadyAsked,
    AnswerLost,
    BadCommand,
    CallbotError,
    CallerIdInvalid,
    CallGone,
    ConfigMistakes,
    ExtensionInvalid,
    FormatInvalid,
    NotAuthorized,
    NotImplementedByPbx,
    NotSuitable,
    PbxRefused,
    PbxUnauthenticated,
    PbxUnreachable,
    PrivateInvalid,
    Refusal,
    SendCallToInvalid,
    TimeoutInvalid,
    UserInvalid,
    ViewInvalid,
    refused,
)

CODES: dict[str, type[PbxRefused]] = {
    "pc_timeout_invalid": TimeoutInvalid,
    "pc_callerid_invalid": CallerIdInvalid,
    "pc_phonecall_invalid": CallGone,
    "pc_phoncall_invalid": CallGone,
    "pc_honecall_invalid": CallGone,
    "pc_phonecallview_invalid": ViewInvalid,
    "pc_phoncallview_invalid": ViewInvalid,
    "pc_sendcallto_invalid": SendCallToInvalid,
    "pc_private_invalid": PrivateInvalid,
    "pc_recformat_invalid": FormatInvalid,
    "user_invalid": UserInvalid,
    "extension_invalid": ExtensionInvalid,
    "access_denied": AccessDenied,
    "access_denided": AccessDenied,
    "request_not_implemented": NotImplementedByPbx,
}


@pytest.mark.parametrize(("code", "reason"), CODES.items())
def test_every_documented_code_has_its_error(code: str, reason: type[PbxRefused]) -> None:
    error = refused(code, 400)
    assert (type(error), error.code, error.http_status) == (reason, code, 400)


def test_no_code_belongs_to_two_errors_and_none_is_forgotten() -> None:
    assert sorted(code for reason in REASONS for code in reason.codes) == sorted(CODES)


def test_an_unknown_code_is_kept_in_a_plain_refusal() -> None:
    error = refused("pc_moon_invalid", 400)
    assert (type(error), error.code) == (PbxRefused, "pc_moon_invalid")


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.__name__)
def test_each_error_says_more_than_that_something_is_wrong(reason: type[PbxRefused]) -> None:
    assert str(reason()) == reason.advice != PbxRefused.advice


def test_a_command_that_is_not_understood_says_what_was_and_was_not_done_and_how_it_is_right() -> None:
    error = BadCommand("“foo” is not an option.", "/monitor 0003*210")
    assert str(error) == "“foo” is not an option. Nothing was sent. For example: /monitor 0003*210"


@pytest.mark.parametrize(
    ("error", "rule"),
    [
        (BadCommand("x", "y"), "not understood"),
        (NotAuthorized("channel", "x"), "channel"),
        (NotSuitable("x"), "no suitable call"),
        (AlreadyAsked("x", "U0ANA"), "already asked"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_each_refusal_names_the_rule_for_the_trail(error: Refusal, rule: str) -> None:
    assert error.rule == rule


def test_a_request_that_is_open_already_names_who_has_it() -> None:
    assert AlreadyAsked("x", "U0ANA").who == "U0ANA"


def test_a_lost_answer_is_also_an_unreachable_pbx() -> None:
    assert isinstance(AnswerLost("timed out"), PbxUnreachable)


def test_why_a_pbx_was_not_reached_is_for_the_log_and_not_for_the_person() -> None:
    error = PbxUnreachable("HTTP 502")
    assert (error.why, "502" in str(error)) == ("HTTP 502", False)


def test_credentials_that_are_not_accepted_keep_the_code() -> None:
    assert PbxUnauthenticated("access_denided").code == "access_denided"


@pytest.mark.parametrize(("mistakes", "said"), [(["a"], "1 mistake"), (["a", "b"], "2 mistakes")])
def test_mistakes_are_counted_and_listed_a_line_each(mistakes: list[str], said: str) -> None:
    error = ConfigMistakes("callbot.toml", mistakes)
    assert str(error).splitlines() == [f"callbot.toml: {said}", *(f"  - {mistake}" for mistake in mistakes)]


@pytest.mark.parametrize("error", [Refusal("x"), PbxUnreachable(), PbxRefused(), ConfigMistakes("x", [])], ids=repr)
def test_everything_expected_is_a_callbot_error(error: Exception) -> None:
    assert isinstance(error, CallbotError)
