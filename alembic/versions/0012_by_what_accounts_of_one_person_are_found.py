"""by what accounts of one person are found, and which account took another over.

The index is keyed, so a migration cannot make it: old rows stay empty, and the running service fills them
(`backend.accounts.identity.candidates.fill`), also those that release 0.2.0 writes beside it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("person_blind", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("joined_into", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_accounts_person_blind"), ["person_blind"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_person_blind"))
        batch_op.drop_column("joined_into")
        batch_op.drop_column("person_blind")
