"""Stand-ins for the two outside systems: a PBX and a Slack workspace on this machine, for demos and for tests.

Nothing here imports anything of `bot` outside this folder, so a mistake of the bot cannot be repeated by what tests it.

    pbx/         a floor of phones behind UnifiedAPI
    workspace/   a strict local Slack: people, channels and one app
    changes.py   who wants to know that something changed in either, and waiting for it
    scenario.py  the people, the phones and the configuration of the demo
    tour.py      a supervisor at work, played by itself
    console/     the demo's page
"""
