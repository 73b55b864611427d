"""The bot as `callbot run` starts it, but for a workspace that has no rate limits. Only the bench asks for that.

`python -m bench.hurried [PROFILE]`: what cProfile has found of the event loop's thread by the end goes into that file.
"""

import asyncio
import cProfile
import sys
from contextlib import nullcontext

import uvloop

from bot.__main__ import serve

HURRY = 100_000
"""So many times the rates of Slack."""

if __name__ == "__main__":
    profiler = cProfile.Profile()
    with profiler if len(sys.argv) > 1 else nullcontext(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(serve(hurry=HURRY))
    if len(sys.argv) > 1:
        profiler.dump_stats(sys.argv[1])
