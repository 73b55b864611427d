"""An index for what has ended lately: at a start it is not looked for among everything that ever was."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the index. An older callbot goes on with it there."""
    op.create_index("ix_interventions_following_updated_at", "interventions", ["following", "updated_at"])
