"""Stand-ins for the two outside systems: a PBX and a Slack workspace on this machine, for demos and for tests.

Nothing here imports anything of `bot` outside this folder, so the stand-ins cannot repeat an error of the bot that they test.

    pbx/         a floor of phones behind UnifiedAPI
    workspace/   a strict local Slack: people, channels and one app
    changes.py   subscriptions to changes in either, and waiting for a change
    scenario.py  the people, the phones and the configuration of the demo
    tour.py      a supervisor at work, printed on the terminal
    console/     the demo's page
"""
