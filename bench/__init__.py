"""How fast callbot is, measured on the machine at hand. No test asserts a time; these print them.

    __main__.py       all goals in one table. `python -m bench [--quick]`
    anchors/          what a user would otherwise pick, to be measured beside callbot
    door.py           callbot's doors with nothing behind, the same work as the anchors
    acknowledging.py  acknowledgements over HTTP and Socket Mode
    whole.py          the whole bot: starting, interventions, memory; hurried.py starts it without Slack's rates
    ledger_work.py    what the ledger does for an intervention
    scan.py           one scan of 10,000 live calls: time, how long the event loop is blocked, memory. `python -m bench.scan`
    floors.py         the calls of it, as the PBX would send them
    pbx.py            a PBX of prepared answers, in a process of its own
    world.py          the load, in a process of its own with surroundings.py: the Slack and the PBX that it knows all of
    load.py           requests over HTTP, so many a second or as many as are taken; commands.py what is in them
    servers.py        what is measured, as processes
    figures.py        what was measured
    goals.py          the table of it

One more measures by itself:

    changes.py  how soon a change in the PBX is on an alert's card. `python -m bench.changes`

`README.md` says where the time went, before and after.
"""
