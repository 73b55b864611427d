"""The memory of callbot: what was asked, allowed and done, in SQLite or PostgreSQL.

Read in this order:

    tables.py      requests, interventions, cards, posts begun, alerts, and how text and time are kept in both databases
    ledger.py      Ledger, the port of `bot.interventions.ports`: begin, conclude, claim, save, and what is read after a restart
    statements.py  what it says to its database, made once
    alerts.py      AlertBook, the port of `bot.alerts.ports`: what is true of each alert, and what is read after a restart
    audit_log.py   AuditLog: who asked for what and what came of it, read beside a running callbot (`callbot audit`)
    documents.py   an Intervention or an Alert as the text of a row, and back
    database.py    the transactions to read and to write in, whichever database it is
    sqlite.py      those of a file: one thread reads, one writes, and many writes share one commit
    postgresql.py  those of a server
    address.py     what a DATABASE_URL means
    fitness.py     whether a server can keep a ledger
    health.py      whether rows are taken, and why not
    reasons.py     why a database could not be used, in our own words
    failures.py    what may go wrong: whatever a database, a disk or a network raises is LedgerUnavailable
    schema.py      brings the tables up to date at the start
    migrations/    … with these scripts
    single_run.py  refuses a second `callbot run` on the same ledger, and keeps it out
    advisory_lock.py  how, where the ledger is a PostgreSQL

Whoever wants to know why one thing is never done twice starts at `ledger.Ledger.claim`.
"""
