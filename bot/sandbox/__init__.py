"""Stand-ins for the two outside systems: a PBX and a Slack workspace on this machine, for demos and for tests.

Nothing here imports anything of `bot` outside this folder, so a mistake of the bot cannot be repeated by what tests it.

The PBX, in the order in which to read it:

=================  =====================================================================================
phones.py          Extension, Call, View: what a floor is made of
desks.py           the extensions of a floor, and who is told of changes
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
pbx_meanwhile.py   what happens on the floor between two requests
pbx_control.py     the floor's verbs over HTTP
=================  =====================================================================================

The workspace, in the order in which to read it:

======================  ================================================================================
workspace.py            Workspace: people, channels and one app, over HTTP and WebSockets
conversations.py        channels, direct messages, and the messages in them
messages_shown.py       a message as people see it, its buttons, and every version there has been
composer.py             what Slack makes of a command before the app gets it
interactions.py         commands and clicks as Slack sends them
deliveries.py           … sent to the app, and what becomes of them
interaction_answers.py  … and answered, by acknowledgement or response URL
signing.py              Slack's signature over HTTP
sockets.py              Socket Mode
web_api.py              the Web API: arguments, tokens, answers
chat_methods.py         its methods, but for the opening of sockets
history.py              conversations.history
scopes.py               which scopes the app has, and which each method needs
message_rules.py        whether Slack would take a message
block_rules.py          … its blocks
text_rules.py           … its texts, dialogs and buttons
slack_limits.py         how much and how often
slack_faults.py         what goes wrong on request
journal.py              what was seen of the bot, and what people saw go wrong
changes.py              who wants to know that something changed
workspace_control.py    what people do, over HTTP
======================  ================================================================================

The demo between the two: scenario.py has its people, phones and map, tour.py plays a supervisor at work; the folder
console/ is its page.
"""
