"""when the decision on a role request is due by text message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("role_requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("text_due_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_role_requests_text_due",
            ["text_due_at"],
            unique=False,
            sqlite_where=sa.text("text_due_at IS NOT NULL"),
            postgresql_where=sa.text("text_due_at IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("role_requests", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_role_requests_text_due",
            sqlite_where=sa.text("text_due_at IS NOT NULL"),
            postgresql_where=sa.text("text_due_at IS NOT NULL"),
        )
        batch_op.drop_column("text_due_at")
