"""The alerts: after a restart none is raised twice, and none is forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table. The column types are spelled out: this step stays as it is when tables.py changes."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stepped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_key", "alerts", ["key"], unique=True)
    op.create_index("ix_alerts_card", "alerts", ["card"])
    op.create_index("ix_alerts_open_updated_at", "alerts", ["open", "updated_at"])
