"""messages that leave after the act, in one table.

What release 0.2.0 owes stands with its requests (`role_requests.text_due_at`); it sends that while it runs, and what it
leaves behind is carried over by `backend/roles/texting.py`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backend.db

revision: str = "0041"
down_revision: str | None = "0040"
branch_labels: str | None = None
depends_on: str | None = None

PARTS = {"due_at": ["channel", "due_at"], "done_at": ["done_at"]}


def upgrade() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("about", sa.Uuid(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("at", backend.db.UtcDateTime(), nullable=False),
        sa.Column("due_at", backend.db.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("handed_at", backend.db.UtcDateTime(), nullable=True),
        sa.Column("done_at", backend.db.UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(10), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    for column in ("account_id", "about"):
        op.create_index(op.f(f"ix_messages_{column}"), "messages", [column])
    for column, columns in PARTS.items():
        there = sa.text(f"{column} IS NOT NULL")
        name = f"ix_messages_{'_'.join(columns)}"
        op.create_index(op.f(name), "messages", columns, sqlite_where=there, postgresql_where=there)


def downgrade() -> None:
    op.drop_table("messages")
