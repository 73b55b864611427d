"""Which live calls need somebody, who is told, and who responds.

Read in this order:

    alert.py         Rule and Alert: what is true of one from raised to resolved
    rule_index.py    which rules are about an extension, and which about those who call it
    tracked_call.py  one call as the scans have shown it, and since when what it shows can be true
    evaluator.py     the live calls as each scan shows them → which rules fire, and since when
    resolution.py    whether what an alert is about goes on, and if not, why
    digests.py       which alerts get a card of their own
    board.py         the alerts that are remembered
    card.py          what goes on the card of an alert
    manager.py       the open alerts: what is new is written down, and shown
    monitor.py       one scan of all live calls after the other, and what each means for the alerts
    blindness.py     that no alert can come, said in every channel that alerts go to
    responses.py     what people say to alerts, and agents who ask for help
    wall_time.py     the dates of alerts as the wall clock has them
    ports.py         what alerts ask of the ledger, the cards and the metrics
"""
