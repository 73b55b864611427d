"""Every failure that callbot expects; `str(error)` is what the person may read: what happened, why, what to do now.

    CallbotError
    ├── Refusal                 the request is wrong, or not allowed: nothing was sent to the PBX
    │   ├── BadCommand          what was typed cannot be understood
    │   ├── NotAuthorized       callbot.toml says no
    │   ├── NotSuitable         no call, or none that this action fits
    │   ├── AlreadyAsked        the same request is under way
    │   ├── AlreadyInCall       the asker's own phone is in this call
    │   └── PhoneNotRegistered  the asker's own phone cannot ring
    ├── PbxError                the PBX, by who is at fault
    │   ├── PbxRefused          it said no, with a code
    │   │   └── CallGone …      one class for each documented code, in every documented spelling
    │   ├── PbxUnauthenticated  it does not accept our token, nor a fresh one
    │   └── PbxUnreachable      it gave no answer that can be read
    │       ├── AnswerLost      … to a request that may have been carried out
    │       └── PartlyRead      … or a list in which some calls have no id (in polling/phone_calls)
    ├── ConfigErrors            settings or callbot.toml: every error, for the person who starts callbot
    ├── WrongUsage              what stands on the command line cannot be meant
    └── beside what raises them: LedgerUnavailable (NoLedgerYet, LedgerOutOfReach, Conflict), LedgerInUse, LedgerLost
        (LedgerTaken, LedgerReplaced) in ledger, SlackError … and SlackUnavailable in slack, CannotListen in connections,
        DemoFailed in demo, NotConfirmed (a Refusal) in check/probe

Codes and their meanings: the error tables of the action pages that `bot.domain.actions` names, and "HTTP Return Codes" of
UnifiedAPI.
"""

from typing import ClassVar

from bot.domain.foreign_text import written_out


class CallbotError(Exception):
    """Any failure that is expected."""


# ── the request ──


class Refusal(CallbotError):
    """Nothing was sent. `rule` names, for the ledger, what said no."""

    rule: str = "refused"


class BadCommand(Refusal):
    """What was typed cannot be understood."""

    rule = "not understood"

    def __init__(self, problem: str, example: str) -> None:
        super().__init__(f"{problem} Nothing was sent. For example: {example}")
        self.problem = problem
        self.example = example


class NotAuthorized(Refusal):
    """No permission says yes, or a protection says no."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class NotSuitable(Refusal):
    """There is no call, or none that this action fits."""

    rule = "no suitable call"


class AlreadyAsked(Refusal):
    """One request of this kind is open at a time; `who` has it (a Slack user id)."""

    rule = "already asked"

    def __init__(self, message: str, who: str) -> None:
        super().__init__(message)
        self.who = who


class AlreadyInCall(Refusal):
    """The asker's own phone is in this call, and no request of callbot's brought it there."""

    rule = "already in the call"


class PhoneNotRegistered(Refusal):
    """The PBX says for certain that the asker's own phone is not registered, so it could not ring."""

    rule = "phone not registered"

    def __init__(self, phone: str) -> None:
        super().__init__(
            f"Your phone {phone} is not registered. The PBX could not ring it, so nothing was sent. "
            "Log the phone in and ask again; or, if you know better, click Ring anyway."
        )


# ── the PBX ──


class PbxError(CallbotError):
    """The PBX did not do what was asked. `code` is what it called the reason, empty if it gave none."""

    code: str = ""


class PbxRefused(PbxError):
    """The PBX said no. Subclasses are the documented reasons; `codes` are their documented spellings."""

    codes: ClassVar[tuple[str, ...]] = ()
    advice: ClassVar[str] = (
        "The PBX refused the request, for a reason that callbot does not know. "
        "Try once more; if it refuses again, ask an administrator of the PBX."
    )

    def __init__(self, code: str = "", http_status: int = 400) -> None:
        super().__init__(self.advice)
        self.code = code
        self.http_status = http_status


class CallGone(PbxRefused):
    """No such call any more."""

    codes = ("pc_phonecall_invalid", "pc_phoncall_invalid", "pc_honecall_invalid")
    advice = "The PBX does not know this call any more: it is probably over. Type /calls to see what is live."


class ViewInvalid(PbxRefused):
    """No such PhoneCallView in the call, or none that this action fits."""

    codes = ("pc_phonecallview_invalid", "pc_phoncallview_invalid")
    advice = "This side of the call has just changed. Type /calls and click the button of the call there."


class SendCallToInvalid(PbxRefused):
    """The supervisor's extension is no phone terminal, or of another organisation."""

    codes = ("pc_sendcallto_invalid",)
    advice = (
        "The PBX cannot ring your phone: it must be a phone terminal of the same organisation. "
        "Ask the person who looks after callbot.toml to check your extension."
    )


class TimeoutInvalid(PbxRefused):
    """`waitForPickup` was not a number above 0."""

    codes = ("pc_timeout_invalid",)
    advice = "The PBX does not accept this waiting time. Repeat the request with wait=20, or without it."


class CallerIdInvalid(PbxRefused):
    """`callerId` was not of the documented form."""

    codes = ("pc_callerid_invalid",)
    advice = 'The PBX does not accept this caller id. Write as="John Doe <+3334444>", or leave it out.'


class PrivateInvalid(PbxRefused):
    """`private` was neither 0 nor 1."""

    codes = ("pc_private_invalid",)
    advice = "The PBX does not accept the option private. Repeat the request without it."


class FormatInvalid(PbxRefused):
    """`format` was neither wav nor wav49."""

    codes = ("pc_recformat_invalid",)
    advice = "The PBX does not accept this recording format. Repeat the request with format=wav."


class UserInvalid(PbxRefused):
    """The User-Id of the path is unknown or does not own the extension."""

    codes = ("user_invalid",)
    advice = (
        "The PBX says that this extension belongs to another user. "
        "Ask the person who looks after callbot.toml to check its uapi_user."
    )


class ExtensionInvalid(PbxRefused):
    """The extension of the path is unknown."""

    codes = ("extension_invalid",)
    advice = "The PBX does not know this extension. Check its number and ask again."


class AccessDenied(PbxRefused):
    """The App of callbot may not do this (the sample of the page spells it `access_denided`)."""

    codes = ("access_denied", "access_denided")
    advice = "The PBX does not let callbot do this. Ask an administrator to check the rights of callbot's App."


class PbxBusy(PbxRefused):
    """Too many requests: HTTP 409 "Limit Exceeded" or 429. No documented code goes with it, so it is in no table."""

    advice = "The PBX is busy. Try again in a moment."


class NotImplementedByPbx(PbxRefused):
    """The PBX does not know this action."""

    codes = ("request_not_implemented",)
    advice = "This PBX does not offer this action. Use another one, or ask an administrator to update the PBX."


class QuestionInvalid(PbxRefused):
    """It does not accept how a list was asked for; callbot sends `count` and `startIndex` alone."""

    codes = (
        *("fields_invalid", "count_invalid", "sortorder_invalid"),
        *("filterby_invalid", "filterop_invalid", "filtervalue_invalid"),
    )
    advice = (
        "The PBX does not list calls in the way that callbot asks for. Name the call with call=ID if you know it, "
        "and tell an administrator that callbot does not fit this version of the PBX."
    )


class PbxFault(PbxRefused):
    """Something is broken in the PBX, and it says so with a code."""

    codes = ("internal_server_error",)
    advice = "Something failed inside the PBX. Try again in a moment; if it fails again, tell an administrator."


REASONS = tuple(reason for reason in PbxRefused.__subclasses__() if reason.codes)
"""Every reason that has a documented code."""
_BY_CODE = {code: reason for reason in REASONS for code in reason.codes}


def refusal_with(code: str, http_status: int = 400) -> PbxRefused:
    """The error for a code of the PBX, in whatever documented spelling; a plain PbxRefused for an unknown one."""
    return _BY_CODE.get(code, PbxRefused)(code, http_status)


class PbxUnauthenticated(PbxError):
    """The PBX accepts neither our token nor a fresh one, or gives none."""

    def __init__(self, code: str = "access_denied") -> None:
        super().__init__(
            "The PBX does not accept callbot's credentials, so nothing was done. "
            "Ask an administrator to check callbot's App on the PBX."
        )
        self.code = code


class PbxUnreachable(PbxError):
    """No answer, or none that can be read. Nothing was changed. `why`, for the log: timed out, connection refused."""

    message: ClassVar[str] = (
        "The PBX does not answer, or not in a way that can be read, so nothing was sent. "
        "Try again in a moment; if it stays so, tell an administrator."
    )

    def __init__(self, why: str = "") -> None:
        super().__init__(self.message)
        self.why = why


class AnswerLost(PbxUnreachable):
    """The answer to a PUT was lost: the PBX may or may not have acted. Never repeat it; read the call instead."""

    message = "The answer of the PBX was lost, so nobody knows whether it acted. Look at the call."

    def __init__(self, why: str = "", code: str = "") -> None:
        super().__init__(why)
        self.code = code


# ── the person who starts callbot ──


class ConfigErrors(CallbotError):
    """All errors in the settings or the configuration at once, a line each. `unlisted`: how many more there are."""

    def __init__(self, where: str, errors: list[str], *, unlisted: int = 0) -> None:
        # An error quotes a file, which must not fake a line.
        self.errors = errors = [written_out(error, lambda hidden: f"[U+{ord(hidden):04X}]") for error in errors]
        self.unlisted, self.number = unlisted, len(errors) + unlisted
        lines = "\n".join(f"  - {error}" for error in errors)
        more = f"\n  … and {unlisted} more" if unlisted else ""
        many = "1 error" if self.number == 1 else f"{self.number} errors"
        super().__init__(f"{where}: {many}\n{lines}{more}")


class WrongUsage(CallbotError):
    """An option of the command line that cannot be understood, or means nobody; a setting that this user cannot use."""
