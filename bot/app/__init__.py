"""The process: settings, callbot.toml, wiring, metrics, logs; check, audit, demo.

Read in this order:

    answering.py         requests that send nothing to the PBX
    env_file.py          .env
    setting_values.py    the value of a setting as it was meant
    settings.py          the environment, checked
    config_schema.py     the tables of callbot.toml
    config.py            callbot.toml, checked
    live_config.py       callbot.toml and agents.csv as they hold now, read anew while the bot runs
    logs.py              log lines without secrets
    metrics.py           the figures behind /metrics
    connections.py       connections to a listener of ours, so many at a time, and their deadlines
    serving.py           an address that is listened on
    metrics_listener.py  the listener for Prometheus
    collecting.py        how often the garbage collector walks through everything
    telephony.py         the PBX as the bot asks it: one session, three paces
    alerting.py          builds what alerts need
    bot.py               builds, starts and stops the bot
    findings.py          a line of `callbot check`
    output.py            what goes to a terminal, foreign text made visible
    audit.py             callbot audit
    demo.py              the bot between the two sandboxes, and their page
"""
