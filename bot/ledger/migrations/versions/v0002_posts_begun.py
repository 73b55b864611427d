"""Which posts of cards have begun: after a crash the card is looked for before it is posted again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table. The column types are spelled out: this step stays as it is when tables.py changes."""
    op.create_table(
        "posts_begun",
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("card", name="pk_posts_begun"),
    )
