"""where an entry of the journal belongs: by unit and person, newest first.

What stands in the journal already gets its places from the running service, some hundred entries at a time
(`backend.roles.audit_places.fill`); until then a page looks through it as it did.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0043"
down_revision: str | None = "0042"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "journal_places",
        sa.Column("how", sa.String(8), nullable=False),
        sa.Column("place", sa.Uuid(), nullable=False),
        sa.Column("group", sa.String(8), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("how", "place", "group", "seq", name=op.f("pk_journal_places")),
    )
    op.create_table(
        "journal_placed",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_placed")),
    )


def downgrade() -> None:
    op.drop_table("journal_placed")
    op.drop_table("journal_places")
