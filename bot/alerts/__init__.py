"""Which live calls need somebody, who is told, and who responds.

Read in this order:

    alert.py      AlertRule and Alert: the states of one from raised to resolved
    evaluator.py  which rules fire on the live calls of each scan, and since when; whether an open alert goes on
    card.py       what the card of an alert, or of a digest, shows, and which alerts share a digest
    manager.py    the open alerts: raised, updated, resolved; first in the ledger, then on their cards
    monitor.py    one scan after the other, and what each means for the alerts
    responses.py  "I'm on it", snooze, and help requests
    blindness.py  a card in every alert channel while live calls cannot be read
"""
