"""One request to act on a call: authorize, read, choose, claim, PUT, track; and the list of live calls.

Read in this order:

    service.py      authorize → read → choose → check → claim → PUT → track: what is done to a call
    planner.py      a Command and the calls as they are → one action on the one right view
    checks.py       what keeps one thing from being asked twice
    preflight.py    what the PBX knows of the phone that is to ring, or was not answered
    mode_change.py  what waits until the supervisor's phone is free: a change of mode, a request for another call
    placing.py      where a card goes
    claiming.py     which card, which action, and the row that stands before the PUT; the permissions once more after it
    sending.py      the PUT, once, and what is known after it
    tracker.py      keeps the open interventions up to date: saves and shows what the polls have changed
    open_cards.py   the interventions that are remembered: by card, and by call
    conclusions.py  what came of requests that sent nothing, on its way into the ledger
    call_list.py    the live calls that a person may know of
    ports.py        what is asked of the ledger, the cards and the person
"""
