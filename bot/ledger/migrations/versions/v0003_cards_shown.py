"""What each posted card shows: after a restart only those are shown again that show something else."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns, empty for what an older callbot has done. The types are spelled out, as in the step before."""
    op.add_column("cards", sa.Column("shown", sa.Text, nullable=False, server_default=""))
    op.add_column("cards", sa.Column("shown_until", sa.DateTime(timezone=True)))
    op.add_column("interventions", sa.Column("stepped_at", sa.DateTime(timezone=True)))
