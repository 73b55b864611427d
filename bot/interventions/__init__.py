"""One request to act on a call: authorize, read, choose, claim, PUT, track; and the list of live calls.

Read in this order:

    planner.py      a Command and the calls as they are → one action on the one right view
    checks.py       what keeps one thing from being asked twice
    ports.py        what the core asks of the PBX, the ledger, the cards and the person
    placing.py      where a card goes
    preflight.py    what the PBX knows of the phone that is to ring, or was not answered
    sending.py      the PUT, once, and what is known after it
    mode_change.py  what waits until the supervisor's phone is free: a change of mode, a request for another call
    call_list.py    the live calls that a person may know of
    open_cards.py   the interventions that are remembered: by card, and by call
    tracker.py      keeps the open interventions true: saves and shows what the looks have changed
    claiming.py     which card, which action, and the row that stands before the PUT; the rules once more after it
    service.py      authorize → read → plan → claim → act → follow: the one verb
"""
