"""The first form: requests, interventions, cards."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the three tables. The column types are spelled out: this step stays as it is when tables.py changes."""
    _interventions()
    _requests()
    op.create_table(
        "cards",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("ts", sa.Text, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cards"),
    )


def _interventions() -> None:
    op.create_table(
        "interventions",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("claim", sa.Text),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("slack_user", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("following", sa.Boolean, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_interventions"),
    )
    op.create_index("ix_interventions_claim", "interventions", ["claim"], unique=True)
    op.create_index("ix_interventions_following", "interventions", ["following"])
    op.create_index("ix_interventions_card", "interventions", ["card"])
    op.create_index(
        "ix_interventions_slack_user_call_id_asked_at", "interventions", ["slack_user", "call_id", "asked_at"]
    )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slack_user", sa.Text, nullable=False),
        sa.Column("stranger", sa.Boolean, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("extension", sa.Text, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("allowed", sa.Boolean),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("intervention", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.ForeignKeyConstraint(["intervention"], ["interventions.id"], name="fk_requests_intervention"),
    )
    op.create_index("ix_requests_trigger", "requests", ["trigger"], unique=True)
    op.create_index("ix_requests_at", "requests", ["at"])
    op.create_index("ix_requests_slack_user_at", "requests", ["slack_user", "at"])
    op.create_index("ix_requests_outcome", "requests", ["outcome"])
