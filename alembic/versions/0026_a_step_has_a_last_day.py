"""a step has a last day: when it was found overdue, and the unit above that may decide as well.

What waits already gets its last day from the round that places steps (deciding.fill).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | None = None
depends_on: str | None = None

INDEXES = {
    "due": (["due_on"], "decider_id IS NOT NULL AND overdue_at IS NULL"),
    "overdue": (["decider_id", "request_id"], "decider_id IS NOT NULL AND overdue_at IS NOT NULL"),
    "above": (["above_id", "request_id"], "above_id IS NOT NULL"),
}


def upgrade() -> None:
    op.add_column("request_steps", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("request_steps", sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("request_steps", sa.Column("above_id", sa.Uuid(), nullable=True))
    op.add_column("request_steps", sa.Column("is_above", sa.Boolean(), nullable=True))
    for name, (columns, where) in INDEXES.items():
        there = sa.text(where)
        op.create_index(
            f"ix_request_steps_{name}",
            "request_steps",
            columns,
            sqlite_where=there,
            postgresql_where=there,
        )


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(f"ix_request_steps_{name}", "request_steps")
    with op.batch_alter_table("request_steps", schema=None) as batch_op:
        for column in ("due_on", "overdue_at", "above_id", "is_above"):
            batch_op.drop_column(column)
