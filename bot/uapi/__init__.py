"""The client of UnifiedAPI, the HTTP interface of a 4PSA VoipNow PBX.

Read in this order:

    wire.py      requests and answers as plain values; every status and body becomes a value or an error. No I/O
    exchange.py  one request over HTTP, sent once, and its answer, however the connection ends
    token.py     where the access token comes from, and how it is renewed
    client.py    UnifiedApi: reads are repeated, actions are not

Whoever wants to know what the PBX is asked starts at `wire.call_path`; whoever wants to know when something is
sent twice, at `client.UnifiedApi.act`.
"""
