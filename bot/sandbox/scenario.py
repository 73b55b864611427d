"""The people, the phones and the map of the demo. All of them are invented."""

from bot.sandbox.floor import Floor
from bot.sandbox.workspace import Workspace

CAST = {"U0ANA": "ana", "U0LIS": "lis", "U0BOB": "bob", "U0DAN": "dan", "U0EVE": "eve"}
FLOOR, ALERTS = "C0FLOOR", "C0ALERTS"
ANSWERS_AFTER = 0.8
"""Seconds until Ana or Lis lifts the phone that an intervention rings."""

MAP = """
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

[help]
channel = "C0FLOOR"
contact = "U0ANA"
"""


def furnish(floor: Floor) -> None:
    """Put the phones on the desks."""
    floor.add_extension("0003*024", user="3", name="Ana Pop", answers_after=ANSWERS_AFTER)
    floor.add_extension("0003*025", user="4", name="Lis Marin", answers_after=ANSWERS_AFTER)
    floor.add_extension("0003*210", user="12", name="Bob Ionescu")
    floor.add_extension("0003*211", user="13", name="Dan Popa")


def seat(workspace: Workspace) -> None:
    """Let the people in."""
    for user, name in CAST.items():
        workspace.add_person(user, name)
    workspace.add_channel(FLOOR, "support-floor")
    workspace.add_channel(ALERTS, "alerts")
