"""two accounts that a desk holds to be one person's, while they wait for a second clerk.

Release 0.2.0 beside it never looks at the table; an account that it erases leaves a proposal that nobody can confirm.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "support_joins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stays_id", sa.Uuid(), nullable=False),
        sa.Column("goes_id", sa.Uuid(), nullable=False),
        sa.Column("stays_print", sa.String(length=64), nullable=False),
        sa.Column("goes_print", sa.String(length=64), nullable=False),
        sa.Column("grounds", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["goes_id"], ["accounts.id"], name=op.f("fk_support_joins_goes_id_accounts")),
        sa.ForeignKeyConstraint(
            ["stays_id"], ["accounts.id"], name=op.f("fk_support_joins_stays_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_joins")),
        sa.UniqueConstraint("goes_id", name=op.f("uq_support_joins_goes_id")),
    )
    with op.batch_alter_table("support_joins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_support_joins_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_support_joins_stays_id"), ["stays_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("support_joins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_support_joins_stays_id"))
        batch_op.drop_index(batch_op.f("ix_support_joins_expires_at"))

    op.drop_table("support_joins")
