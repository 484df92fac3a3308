"""a name that a clerk has read on a paper, while it waits for a second one.

Release 0.3.0 beside it never looks at the table; an account that it erases leaves a proposal that nobody can confirm.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0040"
down_revision: str | None = "0039"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "support_names",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("full_name", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("grounds", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_support_names_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_names")),
        sa.UniqueConstraint("account_id", name=op.f("uq_support_names_account_id")),
    )
    with op.batch_alter_table("support_names", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_support_names_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("support_names", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_support_names_expires_at"))

    op.drop_table("support_names")
