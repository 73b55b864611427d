"""callbot: interventions on live phone calls, from Slack.

What it is made of. Each package's `__init__` names its modules in the order in which to read them:

    domain/         calls, actions, commands, permissions, the states of an intervention; pure and synchronous
    polling/        reads the live calls once for everybody, at a bounded rate
    interventions/  one request to act on a call: authorize → read → choose → check → claim → PUT → track; the list of live calls
    alerts/         which live calls need somebody, who is told, who responds
    uapi/           the PBX: UnifiedAPI over HTTP
    slack/          what people type and click comes in, what they see goes out
    ledger/         what was asked, allowed and done, in SQLite or PostgreSQL; what is remembered after a crash
    app/            the process: settings, callbot.toml, wiring, metrics, logs; check, audit, demo
    sandbox/        a PBX and a Slack workspace on this machine; shares no code with the rest

    tasks.py        background work that is held, named and drained; nothing of the field
    network.py      what connections to PBX and Slack have in common: proxies, and what is wrong with a certificate
    __main__.py     the command line

Dependencies point one way; import-linter holds it (pyproject.toml):

    __main__ → app → slack | uapi | ledger → interventions | alerts → polling → tasks | network → domain

`sandbox` stands apart: it imports nothing else of `bot`, and only `app/demo.py` imports it.

A request comes in at `slack/http.py` or `slack/socket_mode.py`, goes through Bolt to `slack/listeners.py`, is handed over
by `app/dispatch.py`, and an intervention is done by `interventions/service.py`. An alert begins in `alerts/monitor.py`.
`app/build.py` puts everything together; `app/bot.py` starts and stops it.
"""
