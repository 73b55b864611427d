"""What a button carries: the Command that a click stands for, and the channel. bot.slack.button_codec writes it as JSON."""

from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

from bot.domain.calls import PhoneCall
from bot.domain.commands import AnswerAlert, AnswerModeChange, AskForHelp, Command, Intervene, ListCalls, Target


class _Carried(BaseModel):
    """What every button carries: the channel that a click counts as coming from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: str


class Button(_Carried):
    """A button that acts on a call. Its channel is the one in which the card was asked for."""

    intervene: Intervene

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.intervene


class ModeChangeButton(_Carried):
    """What *Ring now anyway* and *Cancel* carry."""

    answer: AnswerModeChange

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.answer


class AlertButton(_Carried):
    """What *I'm on it* and *Snooze* carry."""

    answer: AnswerAlert

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.answer


class HelpButton(_Carried):
    """What *Ask for help* carries."""

    hand: AskForHelp

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.hand


class PageButton(_Carried):
    """What *Next* and *Previous* carry: which page of which list, and the channel it was asked in."""

    page: ListCalls

    @property
    def command(self) -> Command:
        """What the click asks for."""
        return self.page


AnyButton: TypeAlias = Button | ModeChangeButton | AlertButton | HelpButton | PageButton


def button(intervene: Intervene, extension: str, call: PhoneCall, channel: str, view_id: str | None = None) -> Button:
    """A button for this request on one call of one extension. `view_id`: only where the person chooses between views."""
    meant = {
        "target": Target(kind="extension", text=extension),
        "call": call.id,
        "published": call.published,
        "view": view_id,
    }
    return Button(intervene=intervene.model_copy(update=meant), channel=channel)
