"""Every documented code in every documented spelling is one error that says what to do."""

import pytest

from bot.domain.errors import (
    REASONS,
    AccessDenied,
    AlreadyAsked,
    AlreadyInCall,
    AnswerLost,
    BadCommand,
    CallbotError,
    CallerIdInvalid,
    CallGone,
    ConfigErrors,
    ExtensionInvalid,
    FormatInvalid,
    NotAuthorized,
    NotImplementedByPbx,
    NotSuitable,
    PbxBusy,
    PbxError,
    PbxFault,
    PbxRefused,
    PbxUnauthenticated,
    PbxUnreachable,
    PhoneNotRegistered,
    PrivateInvalid,
    QuestionInvalid,
    Refusal,
    SendCallToInvalid,
    TimeoutInvalid,
    UserInvalid,
    ViewInvalid,
    refusal_with,
)

PAGES: dict[str, dict[str, type[PbxRefused]]] = {
    "Monitor PhoneCalls": {
        "pc_timeout_invalid": TimeoutInvalid,
        "pc_callerid_invalid": CallerIdInvalid,
        "pc_phoncall_invalid": CallGone,
        "pc_phoncallview_invalid": ViewInvalid,
        "pc_sendcallto_invalid": SendCallToInvalid,
    },
    "PickUp PhoneCalls": {
        "pc_timeout_invalid": TimeoutInvalid,
        "pc_callerid_invalid": CallerIdInvalid,
        "pc_phonecall_invalid": CallGone,
        "pc_phonecallview_invalid": ViewInvalid,
        "pc_sendcallto_invalid": SendCallToInvalid,
    },
    "Whisper PhoneCalls": {
        "pc_timeout_invalid": TimeoutInvalid,
        "pc_callerid_invalid": CallerIdInvalid,
        "pc_honecall_invalid": CallGone,
        "pc_phonecallview_invalid": ViewInvalid,
        "pc_private_invalid": PrivateInvalid,
        "pc_sendcallto_invalid": SendCallToInvalid,
    },
    "BargeIn PhoneCalls": {
        "pc_timeout_invalid": TimeoutInvalid,
        "pc_callerid_invalid": CallerIdInvalid,
        "pc_phonecall_invalid": CallGone,
        "pc_phonecallview_invalid": ViewInvalid,
        "pc_sendcallto_invalid": SendCallToInvalid,
    },
    "StartRecording PhoneCalls": {
        "pc_recformat_invalid": FormatInvalid,
        "pc_phonecall_invalid": CallGone,
        "pc_phonecallview_invalid": ViewInvalid,
    },
    "HTTP Return Codes, of every request": {
        "user_invalid": UserInvalid,
        "extension_invalid": ExtensionInvalid,
        "access_denied": AccessDenied,
        "access_denided": AccessDenied,
        "internal_server_error": PbxFault,
        "request_not_implemented": NotImplementedByPbx,
    },
    "HTTP Return Codes, of lists": {
        "fields_invalid": QuestionInvalid,
        "count_invalid": QuestionInvalid,
        "filterby_invalid": QuestionInvalid,
        "filterop_invalid": QuestionInvalid,
        "filtervalue_invalid": QuestionInvalid,
        "sortorder_invalid": QuestionInvalid,
    },
}
"""The error tables as the pages have them, every spelling as it stands there; of "HTTP Return Codes" what our requests,
to phoneCalls and presence, can meet."""


@pytest.mark.parametrize("page", PAGES)
def test_every_code_of_a_page_has_its_error(page: str) -> None:
    errors = {code: refusal_with(code, 400) for code in PAGES[page]}
    assert {code: type(error) for code, error in errors.items()} == PAGES[page]
    assert {(error.code == code, error.http_status) for code, error in errors.items()} == {(True, 400)}


def test_no_code_belongs_to_two_errors_and_none_is_without_a_page() -> None:
    assert sorted(code for reason in REASONS for code in reason.codes) == sorted(
        {code for table in PAGES.values() for code in table}
    )


WHAT_TO_DO = {
    CallGone: "Type /calls",
    ViewInvalid: "Type /calls",
    SendCallToInvalid: "Ask the person who looks after callbot.toml",
    TimeoutInvalid: "Repeat the request with wait=20",
    CallerIdInvalid: 'Write as="John Doe <+3334444>"',
    PrivateInvalid: "Repeat the request without it",
    FormatInvalid: "Repeat the request with format=wav",
    UserInvalid: "Ask the person who looks after callbot.toml",
    ExtensionInvalid: "Check its number and ask again",
    AccessDenied: "Ask an administrator",
    NotImplementedByPbx: "Use another one, or ask an administrator",
    QuestionInvalid: "tell an administrator",
    PbxFault: "Try again in a moment",
    PbxBusy: "Try again in a moment",
    PbxRefused: "ask an administrator",
    PbxUnauthenticated: "Ask an administrator",
    PbxUnreachable: "Try again in a moment",
}


@pytest.mark.parametrize(("reason", "words"), WHAT_TO_DO.items(), ids=lambda each: getattr(each, "__name__", ""))
def test_each_error_of_the_pbx_says_what_to_do_next(reason: type[PbxError], words: str) -> None:
    assert words in str(reason())


def test_no_error_is_without_something_to_do() -> None:
    assert {*REASONS, PbxRefused, PbxUnreachable, PbxUnauthenticated} <= set(WHAT_TO_DO)


def test_each_error_begins_with_what_the_pbx_says_and_has_its_own_sentence() -> None:
    assert [each for each in REASONS if "PBX" not in str(each()).partition(".")[0]] == [ViewInvalid]
    assert len({each.advice for each in REASONS}) == len(REASONS)


def test_an_unknown_code_is_kept_in_a_plain_refusal() -> None:
    error = refusal_with("pc_moon_invalid", 400)
    assert (type(error), error.code) == (PbxRefused, "pc_moon_invalid")


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
        (AlreadyInCall("x"), "already in the call"),
        (PhoneNotRegistered("0003*024"), "phone not registered"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_each_refusal_names_the_rule_for_the_audit_log(error: Refusal, rule: str) -> None:
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


@pytest.mark.parametrize(("errors", "said"), [(["a"], "1 error"), (["a", "b"], "2 errors")])
def test_errors_are_counted_and_listed_a_line_each(errors: list[str], said: str) -> None:
    error = ConfigErrors("callbot.toml", errors)
    assert str(error).splitlines() == [f"callbot.toml: {said}", *(f"  - {text}" for text in errors)]


@pytest.mark.parametrize("error", [Refusal("x"), PbxUnreachable(), PbxRefused(), ConfigErrors("x", [])], ids=repr)
def test_everything_expected_is_a_callbot_error(error: Exception) -> None:
    assert isinstance(error, CallbotError)
