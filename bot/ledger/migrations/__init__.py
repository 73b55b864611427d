"""The steps from one form of the tables to the next, oldest first in `versions`. Run by `bot.ledger.schema`."""
