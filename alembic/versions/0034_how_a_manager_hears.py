"""what a manager has chosen of push and mail, and on which day the last mail was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "manager_hearing",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("by_push", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("by_mail", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("mailed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_manager_hearing_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_manager_hearing")),
    )


def downgrade() -> None:
    op.drop_table("manager_hearing")
