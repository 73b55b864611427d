"""The process: settings, callbot.toml, wiring, metrics, logs; check, audit, demo.

Read in this order:

    bot.py            starts and stops the bot
    build.py          builds its parts
    telephony.py      … the PBX: one session, one token; interventions unlimited, the rest under one limit
    dispatch.py       passes each request to its service, and writes its outcome
    settings.py       the environment and .env, checked
    config_schema.py  the tables of callbot.toml
    config.py         callbot.toml, checked
    live_config.py    callbot.toml and agents.csv as they hold now, read again while the bot runs
    examples/         the files that people copy
    logs.py           log lines without secrets
    metrics.py        the metrics behind /metrics, and the listener for Prometheus
    connections.py    our listeners: how many connections, and their deadlines
    collecting.py     how often the garbage collector runs
    check/            callbot check
    audit.py          callbot audit
    output.py         lines on a terminal: findings of the check, and foreign text made harmless
    demo.py           the bot with a sandbox PBX, a local workspace and a page
"""
