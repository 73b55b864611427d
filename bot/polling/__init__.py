"""Reads the live calls once for everybody, at a bounded rate.

Read in this order:

    rate_limit.py  how often the PBX may be looked at, and who goes first
    sight.py       which scopes the looks can read, and since when they cannot
    scan.py        the live calls of all scopes, each once
    sides.py       the parties of a call that other lists show
    poller.py      when and how the live calls are looked at: snapshots, sweeps, and looks at what is followed
"""
