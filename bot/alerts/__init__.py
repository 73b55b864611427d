"""Which live calls need somebody, who is told, and who responds.

Read in this order:

    alert.py         AlertRule and Alert: the states of one from raised to resolved
    rule_index.py    which rules are about an extension, and about those who call it
    tracked_call.py  one call over many scans, and since when what it shows can be true
    evaluator.py     the live calls of each scan → which rules fire, and since when
    resolution.py    whether the condition of an alert goes on, and if not, why
    digests.py       which alerts get a card of their own
    card.py          what the card of an alert, or of a digest, shows
    manager.py       the open alerts: raised, updated, resolved; first in the ledger, then on their cards
    monitor.py       one scan after the other, and what each means for the alerts
    responses.py     "I'm on it", snooze, and help requests
    blindness.py     a card in every alert channel while live calls cannot be read
    wall_time.py     the times of alerts by the wall clock
"""
