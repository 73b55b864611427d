"""`callbot run` between systems that take far more than Slack does: `python -m tests.chaos.hurried run`.

The workspace of a run without `--real-limits` answers nothing with 429, and callbot paces itself by Slack's published
rates before it ever hears of one. Everything else is the program as it is.
"""

from bot.__main__ import run_to_the_end, serve

HURRY = 1000
"""So many times Slack's rates."""

if __name__ == "__main__":
    run_to_the_end(serve(hurry=HURRY))
