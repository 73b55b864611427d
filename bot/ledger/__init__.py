"""The ledger: requests, interventions, alerts and cards, in SQLite or PostgreSQL.

Read in this order:

    tables.py      requests, interventions, cards, posts begun, alerts, and how text and time are kept in both databases
    ledger.py      Ledger, for `bot.interventions.outcomes`: requests, claims, states, and what a restart reads
    statements.py  the SQL that every intervention needs, built once
    alerts.py      AlertBook, for `bot.alerts.manager`: the state of each alert, and what a restart reads
    audit_log.py   AuditLog: who asked for what and what came of it, read while callbot runs (`callbot audit`)
    documents.py   an Intervention or an Alert as the text of a row, and back
    database.py    transactions to read and to write in, for either database
    sqlite.py      … of an SQLite file: one thread reads, one writes, and many writes share a commit
    postgresql.py  … of a PostgreSQL server
    address.py     what a DATABASE_URL means
    fitness.py     whether a server can keep a ledger
    health.py      whether the ledger takes rows, and why not
    reasons.py     why a database could not be used
    failures.py    the exceptions: what a database, a disk or a network raises becomes LedgerUnavailable
    schema.py      brings the tables up to date at the start
    migrations/    … with these scripts
    single_run.py  the lock that keeps a second `callbot run` from the ledger
    advisory_lock.py  … on PostgreSQL

Start at `ledger.Ledger.claim` to see why one action is never sent twice.
"""
