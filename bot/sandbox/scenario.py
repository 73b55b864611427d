"""The people, the phones and the configuration of the demo. All of them are invented."""

from typing import NamedTuple

from bot.sandbox.pbx.floor import Floor
from bot.sandbox.workspace.workspace import Workspace


class Player(NamedTuple):
    """A person of the demo: their Slack user, the extension of their desk phone, and their part as the page shows it."""

    user: str
    handle: str
    name: str
    part: str
    extension: str | None = None


PEOPLE = (
    Player("U0ANA", "ana", "Ana Pop", "Supervisor", "0003*024"),
    Player("U0LIS", "lis", "Lis Marin", "May only listen", "0003*025"),
    Player("U0BOB", "bob", "Bob Ionescu", "Agent", "0003*210"),
    Player("U0DAN", "dan", "Dan Popa", "Agent", "0003*211"),
    Player("U0EVE", "eve", "Eve Stan", "Not in the map"),
)
CAST = {player.user: player.handle for player in PEOPLE}
FLOOR, ALERTS = "C0FLOOR", "C0ALERTS"
CHANNELS = {FLOOR: "support-floor", ALERTS: "alerts"}
CALLERS = (
    ("+15550142", "Carla Caller"),
    ("+15550188", "Hal Holder"),
    ("+15550117", "Wim Winter"),
    ("+15550163", "Noor Nadir"),
)
"""Numbers and names of the callers."""
ANSWERS_AFTER = 0.8
"""Seconds until Ana's or Lis's phone answers an intervention by itself, unless it is answered by hand."""

CONFIG = """
[users.U0ANA]
name = "Ana Pop"
uapi_user = "3"
extension = "0003*024"
roles = ["supervisor"]

[users.U0LIS]
name = "Lis Marin"
uapi_user = "4"
extension = "0003*025"
roles = ["listener"]

[users.U0BOB]
name = "Bob Ionescu"
uapi_user = "12"
extension = "0003*210"
roles = ["agent"]

[users.U0DAN]
name = "Dan Popa"
uapi_user = "13"
extension = "0003*211"
roles = ["agent"]

[roles.supervisor]
actions = ["Monitor", "Whisper", "BargeIn", "PickUp", "StartRecording", "StopRecording"]
extensions = ["0003*2XX"]

[roles.listener]
actions = ["Monitor"]
extensions = ["0003*2XX"]

[roles.agent]
actions = []

[watch]
every = 0.5
max_requests_per_second = 50

[help]
channel = "C0FLOOR"
contact = "U0ANA"

[[alerts]]
name = "Rings unanswered"
when = "ringing"
longer_than = 2
channel = "C0ALERTS"
extensions = ["0003*2XX"]
"""

PAGE_CONFIG = (
    CONFIG.replace("longer_than = 2\n", "longer_than = 5\n")
    + """
[[alerts]]
name = "Held too long"
when = "on_hold"
longer_than = 20
channel = "C0ALERTS"
extensions = ["0003*2XX"]
"""
)
"""The configuration for the page: longer thresholds, because a visitor needs more time than the tour."""


def add_phones(floor: Floor, *, answers_after: float | None = ANSWERS_AFTER) -> None:
    """Add the extensions. `answers_after`: seconds until the supervisors' phones answer; None: only by hand."""
    users = {"U0ANA": "3", "U0LIS": "4", "U0BOB": "12", "U0DAN": "13"}
    for player in PEOPLE:
        if player.extension is not None:
            lifts = answers_after if player.extension.startswith("0003*0") else None
            floor.add_extension(player.extension, user=users[player.user], name=player.name, answers_after=lifts)


def add_people(workspace: Workspace) -> None:
    """Add the people and the channels."""
    for user, name in CAST.items():
        workspace.add_person(user, name)
    for channel, name in CHANNELS.items():
        workspace.add_channel(channel, name)
