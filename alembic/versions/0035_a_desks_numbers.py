"""a desk's telephone numbers have extensions, as a notice writes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    with op.batch_alter_table("support_desks") as table:
        table.alter_column(
            "phone", existing_type=sa.String(40), type_=sa.String(200), existing_nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table("support_desks") as table:
        table.alter_column(
            "phone", existing_type=sa.String(200), type_=sa.String(40), existing_nullable=False
        )
