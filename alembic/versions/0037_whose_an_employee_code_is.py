"""whose an employee code is can be asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0037"
down_revision: str | None = "0036"
branch_labels: str | None = None
depends_on: str | None = None

TABLES = ("roles", "staff_records")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("code_blind", sa.LargeBinary(), nullable=True))
        op.create_index(f"ix_{table}_code_blind", table, ["code_blind"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_index(f"ix_{table}_code_blind", table)
        op.drop_column(table, "code_blind")
