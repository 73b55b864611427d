"""The process: settings, callbot.toml, wiring, metrics, logs; check, audit, demo.

Read in this order:

    bot.py               starts and stops the bot
    build.py             builds its parts
    telephony.py         … the PBX: one session, one token, three rates
    alerting.py          … the alerts
    dispatch.py          hands each request over, and concludes it
    setting_values.py    the value of a setting as it was meant
    env_file.py          .env
    settings.py          the environment, checked
    config_schema.py     the tables of callbot.toml
    config.py            callbot.toml, checked
    live_config.py       callbot.toml and agents.csv as they hold now, read anew while the bot runs
    examples/            the files that people copy
    logs.py              log lines without secrets
    metrics.py           the metrics behind /metrics
    metrics_listener.py  the listener for Prometheus
    serving.py           an address that is listened on
    connections.py       connections to a listener of ours, so many at a time, and their deadlines
    collecting.py        how often the garbage collector walks through everything
    check/               callbot check
    findings.py          a line of it
    audit.py             callbot audit
    output.py            what goes to a terminal, foreign text made visible
    demo.py              the bot between the two sandboxes, and their page
"""
