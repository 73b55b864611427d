"""States, outcomes and reasons as stable codes: until now they were the words that people read on a card.

A code is the word in small letters with `_` for a space, but for those of `_OUTCOMES` and the help request. An older callbot
refuses a ledger of this revision ("written by a newer callbot"), so nothing is kept for it in the old form.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_AT_ONCE = 500
"""Documents that are rewritten at a time, so that the largest ledger fits into memory."""
_OUTCOMES = {
    "asked which call": "asked_which_call",
    "mode not changed": "mode_not_changed",
    "interrupted before anything was sent": "interrupted",
}
_HELP = "hand raised"
"""What an alert was about that an agent asked for, and the key of its rule; `help_request` from now on."""

_Document = dict[str, Any]


def upgrade() -> None:
    """Rewrite the columns and the documents. One that cannot be read stays as it is, for the start to give it up."""
    requests, interventions, alerts = (
        sa.table(name, sa.column("id"), sa.column("document"), *(sa.column(each) for each in more))
        for name, more in (("requests", ["outcome"]), ("interventions", ["state"]), ("alerts", ["key"]))
    )
    connection = op.get_bind()
    for word, code in _OUTCOMES.items():
        connection.execute(sa.update(requests).where(requests.c.outcome == word).values(outcome=code))
    state = sa.func.replace(sa.func.lower(interventions.c.state), " ", "_")
    connection.execute(sa.update(interventions).values(state=state))
    _rewrite(connection, interventions, sa.true(), _intervention)
    # A row without a key is a blind channel, which has no state, or was given up.
    _rewrite(connection, alerts, alerts.c.key.is_not(None), _alert)


def _rewrite(
    connection: sa.Connection,
    table: sa.TableClause,
    which: sa.ColumnElement[bool],
    change: Callable[[_Document], _Document],
) -> None:
    """Write these documents anew, many at a time; `change` alters one, and gives what else changes in its row."""
    its = sa.update(table).where(table.c.id == sa.bindparam("its_id"))
    for rows in _pieces(connection, table, which):
        changed = []
        for row in rows:
            try:
                document = json.loads(row.document)
                more = change(document)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
            changed.append({"its_id": row.id, "document": json.dumps(document, separators=(",", ":"))})
            if more:
                connection.execute(its, {"its_id": row.id, **more})
        if changed:
            connection.execute(its, changed)


def _pieces(
    connection: sa.Connection, table: sa.TableClause, which: sa.ColumnElement[bool]
) -> Iterator[Sequence[sa.Row[Any, Any]]]:
    query = sa.select(table.c.id, table.c.document).where(which).order_by(table.c.id).limit(_AT_ONCE)
    after = ""
    while rows := connection.execute(query.where(table.c.id > after)).all():
        yield rows
        after = rows[-1].id


def _intervention(document: _Document) -> _Document:
    _code(document, "state", "why", "doubt", "phone_seen")
    for step in document["steps"]:
        _code(step, "state")
    return {}


def _alert(document: _Document) -> _Document:
    _code(document, "state", "how")
    for step in document["steps"]:
        _code(step, "state")
    for helper in document["helpers"]:
        action, _, state = helper["doing"].partition(" ")
        helper["doing"] = f"{action} {_as_code(state)}".strip()
    return _help_request(document) if document["when"] == _HELP else {}


def _help_request(document: _Document) -> _Document:
    """A help request, whose key begins with that of its rule. The column holds the digest of the key."""
    document["when"] = document["rule"] = "help_request"
    if known_as := document["known_as"]:
        key = document["known_as"] = known_as.replace(_HELP, "help_request", 1)
    else:
        call = document["call"]
        published = f"{datetime.fromisoformat(call['published']).timestamp():.3f}" if call["published"] else ""
        key = f"help_request\n{call['id']}\n{published}\n{document['asked_by']}"
    return {"key": hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()}


def _code(holder: _Document, *names: str) -> None:
    holder.update({name: _as_code(holder[name]) for name in names})


def _as_code(word: str) -> str:
    return word.lower().replace(" ", "_")
