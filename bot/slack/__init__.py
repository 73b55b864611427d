"""Slack: what people type and click comes in here, what they see goes out.

Read in this order:

    listeners.py         the Bolt listeners: who asks, whether it may start now, a task for each request, and the ack
    command_parser.py    what is typed → Command; pure
    button_codec.py      the value of a button ⇄ what a click on it asks for; pure
    http.py              signed requests on HOST:PORT, and whether the bot is alive and ready
    socket_mode.py       Socket Mode, two connections that never go both at once
    tokens.py            both tokens at the start, and whether Slack still accepts the bot token
    private_answers.py   what one person alone is told: answers through the response_url, and direct messages
    card_publisher.py    posts each card once and keeps it up to date; which channels take none for now
    card_kinds.py        what differs between the kinds of cards; pure
    card_posts.py        which message in Slack is which card, also after a lost answer or a crash
    web_client.py        slack_sdk's client, Slack's clock, and how a request can fail
    outbox.py            every request to Slack: which goes first, and how each ended
    rate_limits.py       how fast Slack lets us go; pure

What messages say; pure:

    intervention_card.py  the card of a person and a call
    alert_card.py         the cards of an alert, of a digest, and of blindness
    call_lists.py         the list of live calls, and which of several is meant
    answer_messages.py    private answers: refusals, help, where a card is
    messages.py           what every message is built from: sections, buttons, text of others made safe
"""
