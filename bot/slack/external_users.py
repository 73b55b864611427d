"""Whether a person is an external user: of another workspace than callbot's, or of another organisation. Pure.

In shared channels (Slack Connect) people of other workspaces type and click, too. In an organisation
with several workspaces (Enterprise Grid) `user.team_id` of a click may be the workspace in which it was clicked, the
person's home workspace, or the id of the organisation itself (bolt-js issue 1875); a command names the workspace where it
was typed. So the organisation decides where Slack names it, and a payload that names neither counts as external.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Home(NamedTuple):
    """The workspace in which callbot is installed, and its organisation; empty where there is none."""

    team_id: str
    enterprise_id: str = ""


def is_external(body: Mapping[str, Any], home: Home) -> bool:
    """Whether a command or click comes from an external user."""
    user, team = _object(body, "user"), _word(body, "team_id")
    if user:
        team = _word(user, "team_id") or _word(_object(body, "team"), "id")
    organisations = {
        _word(body, "enterprise_id"),
        _word(_object(body, "enterprise"), "id"),
        _word(user, "enterprise_id"),
        _word(_object(user, "enterprise_user"), "enterprise_id"),
    } - {""}
    if not home.enterprise_id:
        return team != home.team_id
    if organisations - {home.enterprise_id}:
        return True
    return team not in home and home.enterprise_id not in organisations


def _object(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}


def _word(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
