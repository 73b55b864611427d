"""A strict local Slack: a workspace with people, channels and one app, over real HTTP and WebSockets on loopback.

Read in this order:

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
    limits.py               how much and how often
    faults.py               what goes wrong on request
    journal.py              what was seen of the bot, and what people saw go wrong
"""
