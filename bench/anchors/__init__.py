"""What callbot is measured beside. Each takes the same signed `/monitor 0003*210`, and acknowledges it.

    aiohttp_alone.py  no framework for Slack at all: the most that this HTTP library allows
    node/             @slack/bolt as its documentation shows it, on Node 20: `npm ci --ignore-scripts` in that folder

Each is a process of its own that prints the port it listens on.
"""
