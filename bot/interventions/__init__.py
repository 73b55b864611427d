"""One request to act on a call: authorize, read, choose, check, claim, PUT, track; and the list of live calls.

Read in this order:

    service.py      Interventions.intervene: the whole way of one request, step by step
    planner.py      a command and the calls as they are → one action on the one right view
    checks.py       nothing is asked for twice; the asker's phone is registered, free and no party of the call
    claiming.py     which card, which action, and the row that stands before the PUT; the permissions once more after it
    waiting.py      what waits until the supervisor's phone is free: a change of mode, a request for another call
    card.py         where a card goes, and what those who read it may know
    tracker.py      keeps the open interventions up to date: saves and shows what the polls have changed
    outcomes.py     writes the outcomes of requests that sent nothing; the Protocol of the ledger
    call_list.py    the live calls that a person may know of
"""
