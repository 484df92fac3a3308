"""who has a request open that waits for several; a row lives for an hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0046"
down_revision: str | None = "0045"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "opened_requests",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["role_requests.id"], name=op.f("fk_opened_requests_request_id_role_requests")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_opened_requests_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("request_id", "account_id", name=op.f("pk_opened_requests")),
    )
    op.create_index(op.f("ix_opened_requests_at"), "opened_requests", ["at"])


def downgrade() -> None:
    op.drop_table("opened_requests")
