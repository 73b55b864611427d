"""The sandbox PBX: a floor of phones behind a real HTTP server that speaks 4PSA VoipNow's UnifiedAPI.

Read in this order:

    phones.py         Extension, Call, View: what a floor is made of; phones that ring, and when they stop
    floor.py          Floor: phones, calls and time; what people do, what the PBX does
    server.py         SandboxPbx: the HTTP server, the requests it has seen
    requests.py       a request, an answer and a refusal as plain values; every error code
    uapi.py           UnifiedAPI: tokens, paths, users and extensions, lists, single calls, actions
    actions.py        the six actions, every field checked against its documentation page
    answers.py        calls and presence as JSON, in pages of a list; switches for what sources disagree on
    faults.py         faults on purpose, and changes between two requests
    control.py        the floor's methods over HTTP
"""
