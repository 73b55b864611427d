"""callbot: interventions on live phone calls, from Slack. The map of the code; read it in this order.

The core, no I/O:

    slicing.py        long work in slices, between which others get their turn
    moments.py        what is kept in either time, as the wall clock has it
    tasks.py          work that outlives its starter
    closing.py        what was opened is closed again, within an end
    saving.py         new truths on their way into the ledger, which may not take them at once
    answering.py      requests that send nothing to the PBX

One folder for each outside system; they never import each other, and the head of each names its modules:

    uapi/             the PBX
    slack/            commands, buttons, cards, private answers
    ledger/           what was asked, allowed and done
    sandbox/          a PBX and a workspace on this machine; imports nothing else of bot

Files that people copy:

    examples/         callbot.toml, the environment and the manifest of the Slack app

Beneath the PBX and Slack alike:

    network.py        the proxy of an address, and what is wrong with a certificate

And what ties them together:

    env_file.py       .env
    setting_values.py the value of a setting as it was meant
    settings.py       the environment, checked
    config_tables.py  the tables of callbot.toml
    config.py         callbot.toml, checked
    rulebook.py       callbot.toml and agents.csv as they hold now, read anew while the bot runs
    logs.py           log lines without secrets
    metrics.py        the figures behind /metrics
    connections.py    connections to a listener of ours, so many at a time, and their deadlines
    serving.py        an address that is listened on
    metrics_listener.py   the listener for Prometheus
    collecting.py     how often the garbage collector walks through everything
    closing.py        what was opened is closed again, the last first, within an end
    telephony.py      the PBX as the bot asks it: one session, three paces
    alerting.py       builds what alerts need
    assembly.py       builds, starts and stops the bot
    findings.py       a line of `callbot check`
    terminal.py       what goes to a terminal, foreign text made visible
    checking.py       callbot check; its parts:
    checking_map.py       the map and its directory
    checking_alerts.py    alerts and calls for help
    checking_slack.py     tokens, scopes, channels
    checking_pbx.py       token, lists, extensions
    trying.py         callbot check --try: a test call is found and agreed to; its parts:
    trial_listener.py     who listens, and to what
    trial.py              what is sent, and what the PBX shows of it
    trial_report.py       how that compares with the documentation
    auditing.py       callbot audit
    demo.py           the bot between the two sandboxes, and their page
    __main__.py       the command line

Imports point from the bottom of this page to its top, never back; import-linter holds it (pyproject.toml).
"""
