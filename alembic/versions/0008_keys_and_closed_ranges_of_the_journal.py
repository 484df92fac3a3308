"""The fingerprints of the keys, and the closed ranges of the journal; old rows need nothing: `migrate` proves the keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "journal_closed",
        sa.Column("last_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("retired", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("last_seq", name=op.f("pk_journal_closed")),
    )
    op.create_table(
        "key_prints",
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_prints")),
    )
    with op.batch_alter_table("journal_head", schema=None) as batch_op:
        batch_op.add_column(sa.Column("retired", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("journal_head", schema=None) as batch_op:
        batch_op.drop_column("retired")

    op.drop_table("key_prints")
    op.drop_table("journal_closed")
