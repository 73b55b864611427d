"""What Alembic runs to get its connection: the one that is open already.

This is Alembic's script ("Tutorial", The Migration Environment), not a module to import: it is run as it is loaded.
"""

from alembic import context

from bot.ledger.tables import metadata

# SQLite alters hardly anything in place, so batch mode copies the table ("Running Batch Migrations").
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
