"""people are found by the words of their names: keyed indexes beside the account, opened nowhere.

Of people who are there already the running service writes them (`backend.roles.findable`), as of those whom release
0.2.0 writes beside this one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "name_words",
        sa.Column("blind", sa.LargeBinary(length=8), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_name_words_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("blind", "account_id", name=op.f("pk_name_words")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_name_words_account_id"), "name_words", ["account_id"])


def downgrade() -> None:
    op.drop_table("name_words")
