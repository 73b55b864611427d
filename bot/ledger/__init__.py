"""The memory of callbot: what was asked, allowed and done, in SQLite or PostgreSQL.

Read in this order:

    tables.py      requests, interventions, cards, posts begun, alerts, and how text and time are kept in both databases
    ledger.py      Ledger, the port of `bot.ports`: begin, conclude, claim, save, and what is read after a restart
    alerts.py      AlertBook, the port of `bot.alert_ports`: what is true of each alert, and what is read after a restart
    trail.py       Trail: who asked for what and what came of it, read beside a running callbot (`callbot audit`)
    documents.py   an Intervention or an Alert as the text of a row, and back
    database.py    one engine, transactions to read and to write in
    address.py     what a DATABASE_URL means
    failures.py    LedgerUnavailable: whatever a database, a disk or a network raises
    schema.py      brings the tables up to date at the start, with the scripts in migrations/
    single_run.py  refuses a second `callbot run` on the same ledger, and keeps it out

Whoever wants to know why one thing is never done twice starts at `ledger.Ledger.claim`.
"""
