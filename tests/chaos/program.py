"""`callbot run` as a chaos run needs it: `python -m tests.chaos.program run`.

Its wall clock is the one of the run, and it notices changes of callbot.toml sooner than usual. The workspace of a run
without `--real-limits` answers nothing with 429, and callbot paces itself by Slack's published rates before it ever hears
of one: there CHAOS_SLACK_RATE_FACTOR says how many times as fast it may be. Everything else is the program as it is.
"""

import os

from bot.__main__ import run_to_the_end, serve
from bot.domain.clock import Clock
from tests.chaos.wall_clock import stepped_wall

RULES_EVERY = 0.5
"""Seconds between two looks at callbot.toml."""

if __name__ == "__main__":
    slack_rate_factor = int(os.environ["CHAOS_SLACK_RATE_FACTOR"])
    run_to_the_end(serve(slack_rate_factor=slack_rate_factor, config_every=RULES_EVERY, clock=Clock(stepped_wall)))
