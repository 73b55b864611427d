"""The bot as `callbot run` starts it, but for a workspace that has no rate limits. Only the bench asks for that."""

import asyncio

import uvloop

from bot.__main__ import serve

HURRY = 100_000
"""So many times the rates of Slack."""

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve(hurry=HURRY))
