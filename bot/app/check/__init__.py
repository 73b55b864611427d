"""`callbot check`: whether everything is there and right; with --try, a test call.

Read in this order:

    check.py           callbot check; its parts:
    configuration.py   the map and its directory
    alerts.py          alerts and calls for help
    slack.py           tokens, scopes, channels
    pbx.py             token, lists, extensions
    probe.py           callbot check --try: a test call is found and agreed to; its parts:
    probe_options.py   who listens, and to what
    probe_action.py    what is sent, and what the PBX shows of it
    probe_report.py     how that compares with the documentation
"""
