"""Stand-ins for the two outside systems: a PBX and a Slack workspace on this machine, for demos and for tests.

Nothing here imports anything of `bot` outside this folder, so a mistake of the bot cannot be repeated by what tests it.

The PBX, in the order in which to read it:

=================  =====================================================================================
phones.py          Extension, Call, View: what a floor is made of
ringing.py         phones that ring because of an intervention, and when they stop
floor.py           Floor: phones, calls and time; what people do, what the PBX does
announcements.py   who wants to know that something changed, and waiting without polling
pbx.py             SandboxPbx: the HTTP server, the requests it has seen
pbx_requests.py    a request and an answer as plain values
pbx_uapi.py        UnifiedAPI: paths, users and extensions, lists, single calls, actions
pbx_actions.py     the six actions, every field checked against its documentation page
pbx_answers.py     calls and presence as JSON
pbx_paging.py      the list envelope, its pages, filters and order
pbx_refusals.py    every error code, in the spelling of each page
pbx_tokens.py      the token endpoint
pbx_forms.py       switches for what sources disagree on
pbx_faults.py      what goes wrong on request
pbx_control.py     the floor's verbs over HTTP
=================  =====================================================================================

The workspace: workspace.py and what it names.
"""
