"""The page of the demo: it shows the local workspace and the floor of the sandbox PBX.

What it shows and takes is in `interface.md`. The parts, in the order in which to read them:

    shown.py        the floor and the workspace as JSON: desk phones with their lines, places, people, messages
    acts.py         what a visitor can do: type, click, answer, hang up …, each checked
    bot_process.py  the bot's own process, which can be started again
    story.py        the scenes that show what callbot is for, repeated until somebody acts
    guard.py        keeps out other pages of the browser; refusals
    feed.py         the state, and its changes since a page last received it
    server.py       Console: the page, the interface, their addresses
    page/           what runs in the browser; main.js ties it together
"""
