"""a flow that was begun under a key is begun once; a row lives for an hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0047"
down_revision: str | None = "0046"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "begun_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_begun_calls")),
        sa.UniqueConstraint("key", name=op.f("uq_begun_calls_key")),
    )
    op.create_index(op.f("ix_begun_calls_account_id"), "begun_calls", ["account_id"])
    op.create_index(op.f("ix_begun_calls_at"), "begun_calls", ["at"])


def downgrade() -> None:
    op.drop_table("begun_calls")
