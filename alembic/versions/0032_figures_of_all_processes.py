"""what all processes count is kept, and the sessions that live are found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0032"
down_revision: str | None = "0031"
branch_labels: str | None = None
depends_on: str | None = None

LIVING = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("labels", sa.String(length=200), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", name=op.f("pk_figures")),
    )
    columns = ["kind", "absolute_expires_at"]
    op.create_index("ix_sessions_living", "sessions", columns, sqlite_where=LIVING, postgresql_where=LIVING)


def downgrade() -> None:
    op.drop_index("ix_sessions_living", "sessions")
    op.drop_table("figures")
