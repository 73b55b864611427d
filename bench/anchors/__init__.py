"""What a user would otherwise pick, minimal and fair: each takes the same signed `/monitor 0003*210` and acknowledges it.

    aiohttp_alone.py  no framework for Slack at all: the limit of what can be reached with this HTTP library
    stock_bolt.py     slack-bolt for Python as its documentation shows it
    node/             @slack/bolt as its documentation shows it, for Node 20: `npm ci --ignore-scripts` in that folder

Each runs as a process of its own, in one of two modes: `http` prints the port that it listens on, `sockets` prints 0 when
it is connected. The address of Slack's API, and of the PBX where there is one, are arguments; the secrets are Slack's
usual variables of the environment.
"""
