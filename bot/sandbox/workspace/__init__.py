"""A strict local Slack: a workspace with people, channels and one app, over real HTTP and WebSockets on loopback.

Read in this order:

    workspace.py      Workspace: people, channels and one app, over HTTP and WebSockets
    conversations.py  people, channels, direct messages, and the messages in them
    interactions.py   commands and clicks as Slack sends them, signed
    deliveries.py     … delivered to the app, and answered by acknowledgement or response URL
    sockets.py        Socket Mode
    web_api.py        the Web API: arguments, tokens, scopes, answers
    methods.py        its methods, but for the opening of sockets
    message_rules.py  whether Slack would take a message, its blocks and texts
    limits.py         Slack's limits: rates, times, connections
    faults.py         faults on purpose
    journal.py        the bot's requests, and the errors that people saw
"""
