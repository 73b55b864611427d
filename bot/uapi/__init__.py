"""The client of UnifiedAPI, the HTTP interface of a 4PSA VoipNow PBX.

Read in this order:

    exchange.py     one request: builds what is sent, sends it once, returns the answer, however the connection ends
    parsing.py      every status and body becomes a value or an error. No I/O
    list_reader.py  the pages of one list of calls, in slices; entries that have not changed are not read again
    token.py        where the access token comes from, and how it is renewed
    client.py       UnifiedApi: reads are repeated, actions are not
    shapes.py       the form of an answer compared with the documented form, for `callbot check --try`. No I/O

What is sent to the PBX is in `exchange`, beginning with `call_path`. Whether anything is sent twice is decided in
`client.UnifiedApi.act`.
"""
