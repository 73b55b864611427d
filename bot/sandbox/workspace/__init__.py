"""A strict local Slack: a workspace with people, channels and one app, over real HTTP and WebSockets on loopback.

Read in this order:

    workspace.py            Workspace: people, channels and one app, over HTTP and WebSockets
    conversations.py        channels, direct messages, and the messages in them
    messages_shown.py       a message as people see it, its buttons, and every version there has been
    composer.py             a typed command as Slack sends it to the app
    interactions.py         commands and clicks as Slack sends them
    deliveries.py           … delivered to the app
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
    limits.py               Slack's limits: rates, times, connections
    faults.py               faults on purpose
    journal.py              the bot's requests, and the errors that people saw
"""
