"""The page of the demo: a window on the local workspace and on the floor of the sandbox PBX.

What it shows and takes is in `interface.md`. The parts, in the order in which to read them:

==================  ===========================================================================
slash_commands.py   what the composer knows of the app's commands
refusals.py         what is not done, and why
ring_times.py       since when a phone rings, and what a supervisor on a call is there for
floor_shown.py      the floor as JSON: a line for each call on each desk phone
workspace_shown.py  the workspace as JSON: places, people, messages
acts.py             what a visitor can do: type, click, lift, hang up …, each checked
bot_process.py      the bot's own process, which can be started again
story.py            the scenes that show what callbot is for
playing.py          … played over and over until somebody acts
guard.py            which requests are answered at all
feed.py             the state, and what of it has changed since a page was last told
server.py           Console: the page, the interface, their addresses
page/               what runs in the browser; main.js ties it together
==================  ===========================================================================
"""
