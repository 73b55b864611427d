"""Slack: what people type and click comes in here, what they see goes out.

arrival.py    the first words with Slack at a start: who we are there
bot_token.py  whether Slack still takes the bot token
app.py        the listeners: acknowledge, then hand over
room.py       who may have how much under way at a time; pure
belonging.py  whether somebody is of our workspace or organisation; pure
asker.py      the person who asked, privately, through the response_url
feed.py       the cards: one message each, posted once and updated in place
showing.py    what the feed knows of a card, whichever kind it is; pure
posted.py     where each card stands, also after a lost answer or a crash
refusing.py   channels that take no alert for now, and the cards that rest until one does
telling.py    one direct message to one person
web.py        Slack's own library, as callbot uses it
outgoing.py   the one way out to Slack: who goes first, and how each request ended
rates.py      how fast Slack lets us go; pure
failures.py   how a request can fail, by what is to be done then
cards.py        the card of a person and a call       ┐
states.py       what it says in words                 │
alert_cards.py  the card of an alert, and the digest  │
alert_words.py  what they say in words                ├ pure
answers.py      what an answer says                   │
lists.py        lists of live calls                   │
messages.py     the words of them all                 │
foreign.py      text of others                        ┘
http.py       signed requests on HOST:PORT, and whether the bot is alive and ready
sockets.py    Socket Mode, two connections that never go both at once
connection.py one of them, from its greeting to its very end
"""
