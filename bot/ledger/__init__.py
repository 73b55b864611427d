"""The ledger: requests, interventions, alerts and cards, in SQLite or PostgreSQL.

Read in this order:

    tables.py      requests, interventions, cards, pending posts, alerts; how text, time and documents are kept in both databases
    ledger.py      Ledger, for `bot.interventions`: requests, claims, states, and what a restart reads
    alerts.py      StoredAlerts, for `bot.alerts`: the state of each alert, and what a restart reads
    audit_log.py   AuditLog: who asked for what and what came of it, read while callbot runs (`callbot audit`)
    database.py    transactions to read and to write in, for either database, and whether it takes rows
    sqlite.py      … of an SQLite file: one thread reads, one writes, and many writes share a commit
    postgresql.py  … of a PostgreSQL server; whether it can keep a ledger, and the lock of a run there
    failures.py    why a database could not be used, and the exceptions that say so
    address.py     what a DATABASE_URL means
    schema.py      brings the tables up to date at the start
    migrations/    … with these scripts
    single_run.py  the lock that keeps a second `callbot run` from the ledger

Start at `ledger.Ledger.claim` to see why one action is never sent twice.
"""
