"""The deed: one PUT, sent once, and what is known after it. The row in the ledger stands already."""

from collections.abc import Callable
from datetime import datetime

import structlog

from bot.domain.errors import AnswerLost, PbxError, PbxUnreachable
from bot.domain.intervention import Intervention, answer_lost, answered, refused
from bot.interventions.ports import Measures
from bot.polling.ports import PhoneCalls

_log = structlog.get_logger("callbot.sending")


async def send(
    intervention: Intervention, phone_calls: PhoneCalls, measures: Measures, now: Callable[[], datetime]
) -> Intervention:
    """Ask the PBX, and return what is true then. Nothing is raised, and nothing is asked twice."""
    action = intervention.action
    try:
        answer = await phone_calls.act(intervention.user, intervention.extension, intervention.call_id, action)
        result, after = answer.value, answered(intervention, answer.value, now())
    except AnswerLost as lost:
        result, after = "lost", answer_lost(intervention, lost.code)
    except PbxError as error:
        result = "unreachable" if isinstance(error, PbxUnreachable) else "refused"
        after = refused(intervention, error, now())
    except Exception:  # noqa: BLE001 - nobody knows what was done, so the call is looked at
        _log.exception("put_failed", intervention=intervention.id)
        result, after = "lost", answer_lost(intervention)
    measures.put(result)
    _log.info("put", intervention=intervention.id, action=intervention.name, result=result, state=after.state)
    return after
