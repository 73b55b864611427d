"""The client of UnifiedAPI, the HTTP interface of a 4PSA VoipNow PBX.

Read in this order:

    envelope.py  the JSON of an answer: from bytes to its parts. No I/O
    wire.py      requests and answers as plain values; every status and body becomes a value or an error. No I/O
    list_reader.py the pages of one list of calls, in slices; what has not changed is not read again
    exchange.py  one request over HTTP, sent once, and its answer, however the connection ends
    token.py     where the access token comes from, and how it is renewed
    client.py    UnifiedApi: reads are repeated, actions are not
    shapes.py    what form an answer came in, next to the documented one, for `callbot check --try`. No I/O

Whoever wants to know what the PBX is asked starts at `wire.call_path`; whoever wants to know when something is
sent twice, at `client.UnifiedApi.act`.
"""
