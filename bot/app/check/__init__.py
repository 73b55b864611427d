"""`callbot check`: checks the settings and everything that they name; with --try, one Monitor on a test call.

Read in this order:

    check.py           callbot check; its parts:
    configuration.py   callbot.toml and its directory: roles, numbers, alerts, help requests
    slack.py           tokens, scopes, channels
    pbx.py             token, lists, extensions
    probe.py           callbot check --try: a test call is found, confirmed, monitored and tracked to its end
    probe_report.py    what the PBX answers meanwhile, compared with the documentation
"""
