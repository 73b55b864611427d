"""The page of the demo: it shows the local workspace and the floor of the sandbox PBX.

What it shows and takes is in `interface.md`. The parts, in the order in which to read them:

==================  ===========================================================================
slash_commands.py   the app's commands, as the composer lists them
refusals.py         refusals of the interface
ring_times.py       since when phones ring, and for which action a supervisor is in a call
floor_shown.py      the floor as JSON: a line for each call on each desk phone
workspace_shown.py  the workspace as JSON: places, people, messages
acts.py             what a visitor can do: type, click, answer, hang up …, each checked
bot_process.py      the bot's own process, which can be started again
story.py            the scenes that show what callbot is for
playing.py          … repeated until somebody acts
guard.py            keeps out other pages of the browser
feed.py             the state, and its changes since a page last received it
server.py           Console: the page, the interface, their addresses
page/               what runs in the browser; main.js ties it together
==================  ===========================================================================
"""
