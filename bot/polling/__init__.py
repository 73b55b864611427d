"""Reads the live calls once for everybody, at a bounded rate.

Read in this order:

    ports.py          what is asked of the PBX, and how it answers
    live_calls.py     the calls of some extensions as they are now, for one request
    rate_limit.py     how often the PBX may be asked, and who goes first
    scope_health.py   which scopes cannot be read, and since when
    scan.py           scans and snapshots: the live calls of all scopes, each once
    known_parties.py  the parties of a call that other lists have shown
    poller.py         when and how the live calls are read: snapshots, scans, and polls of tracked calls
"""
