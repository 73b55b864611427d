"""Slack: what people type and click comes in here, what they see goes out.

arrival.py    the first words with Slack at a start: who we are there
app.py        the listeners: acknowledge, then hand over
asker.py      the person who asked, privately, through the response_url
feed.py       the cards: one message each, posted once and updated in place
posted.py     where each card stands, also after a lost answer or a crash
telling.py    one direct message to one person
outgoing.py   the one way out to Slack: who goes first, and how each request ended
rates.py      how fast Slack lets us go; pure
failures.py   how a request can fail, by what is to be done then
cards.py      the card              ┐
states.py     what it says in words │
answers.py    what an answer says   ├ pure
lists.py      lists of live calls   │
messages.py   the words of them all │
foreign.py    text of others        ┘
http.py       signed requests on HOST:PORT, and whether the bot is alive and ready
sockets.py    Socket Mode, two connections that never go both at once
connection.py one of them, from its greeting to its very end
"""
