"""Slack: what people type and click comes in here, what they see goes out.

app.py        the listeners: acknowledge, then hand over
asker.py      the person who asked, privately, through the response_url
feed.py       the cards: one message each, posted once and updated in place
cards.py      what a card says      ┐
answers.py    what an answer says   ├ pure
messages.py   the words of both     │
foreign.py    text of others        ┘
http.py       signed requests on HOST:PORT, and whether the bot is alive and ready
sockets.py    Socket Mode, two connections
"""
