"""The sandbox PBX: a floor of phones behind a real HTTP server that speaks 4PSA VoipNow's UnifiedAPI.

Read in this order:

    phones.py         Extension, Call, View: what a floor is made of
    desks.py          the extensions of a floor, and subscriptions to its changes
    ringing.py        phones that ring because of an intervention, and when they stop
    floor.py          Floor: phones, calls and time; what people do, what the PBX does
    server.py         SandboxPbx: the HTTP server, the requests it has seen
    requests.py       a request and an answer as plain values
    uapi.py           UnifiedAPI: paths, users and extensions, lists, single calls, actions
    actions.py        the six actions, every field checked against its documentation page
    answers.py        calls and presence as JSON
    paging.py         the list envelope, its pages, filters and order
    refusals.py       every error code, in the spelling of each page
    tokens.py         the token endpoint
    forms.py          switches for what sources disagree on
    faults.py         faults on purpose
    meanwhile.py      changes of the floor between two requests
    control.py        the floor's methods over HTTP
"""
