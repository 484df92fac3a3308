"""pushes wait with the other messages; what a notice's row owed is carried over (release 0.2.0 has no such column)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backend.db
from backend.db import new_id

revision: str = "0042"
down_revision: str | None = "0041"
branch_labels: str | None = None
depends_on: str | None = None

TIME = backend.db.UtcDateTime()
THERE = sa.text("push_at IS NOT NULL")
NOTICES = sa.table(
    "notices",
    *(sa.column(name, sa.Uuid()) for name in ("account_id", "about")),
    sa.column("kind", sa.String()),
    *(sa.column(name, TIME) for name in ("at", "push_at")),
)
MESSAGES = sa.table(
    "messages",
    *(sa.column(name, sa.Uuid()) for name in ("id", "account_id", "about")),
    *(sa.column(name, sa.String()) for name in ("channel", "kind")),
    *(sa.column(name, TIME) for name in ("at", "due_at")),
    sa.column("attempts", sa.Integer()),
)


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(NOTICES).where(NOTICES.c.push_at.is_not(None))).mappings().all():
        owed = {name: row[name] for name in ("account_id", "about", "kind", "at")}
        made = {"id": new_id(), "channel": "push", "due_at": row["push_at"], "attempts": 0}
        connection.execute(sa.insert(MESSAGES).values(**owed, **made))
    op.drop_index("ix_notices_push_at", "notices")
    op.drop_column("notices", "push_at")


def downgrade() -> None:
    op.add_column("notices", sa.Column("push_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_notices_push_at", "notices", ["push_at"], sqlite_where=THERE, postgresql_where=THERE)
