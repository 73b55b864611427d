"""callbot: interventions on live phone calls, from Slack. The map of the code; read it in this order.

The core, no I/O:

    tasks.py          work that outlives its starter

One folder for each outside system; they never import each other, and the head of each names its modules:

    uapi/             the PBX
    slack/            commands, buttons, cards, private answers
    ledger/           what was asked, allowed and done
    sandbox/          a PBX and a workspace on this machine; imports nothing else of bot

Files that people copy:


Beneath the PBX and Slack alike:

    network.py        the proxy of an address, and what is wrong with a certificate

And what ties them together:

    __main__.py       the command line

Imports point from the bottom of this page to its top, never back; import-linter holds it (pyproject.toml).
"""
