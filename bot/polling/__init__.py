"""Reads the live calls once for everybody, at a bounded rate.

Read in this order:

    phone_calls.py    the PBX as callbot asks it, how it answers, and the calls of some extensions for one request
    rate_limit.py     how often the PBX may be asked, and who goes first
    scan.py           scans and snapshots: the live calls of all scopes, each once; which scopes cannot be read
    known_parties.py  the parties of a call that other lists have shown
    poller.py         when and how the live calls are read: snapshots, scans, and polls of tracked calls
"""
