"""a role may wait for another, and stand beside one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None

BEFORE = "kind IN ('register','amend','transfer','end')"
NOW = "kind IN ('register','amend','transfer','concurrent','end')"


def upgrade() -> None:
    with op.batch_alter_table("role_requests") as table:
        table.add_column(sa.Column("movement", sa.String(16), nullable=True))
        table.add_column(sa.Column("keeps", sa.Text(), nullable=True))
        table.drop_constraint(op.f("ck_role_requests_kind"), type_="check")
        table.create_check_constraint("kind", NOW)
    with op.batch_alter_table("roles") as table:
        table.add_column(sa.Column("stands_on", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("suspended_by", sa.Uuid(), nullable=True))
        table.create_index("ix_roles_stands_on", ["stands_on"])


def downgrade() -> None:
    with op.batch_alter_table("roles") as table:
        table.drop_index("ix_roles_stands_on")
        table.drop_column("suspended_by")
        table.drop_column("stands_on")
    with op.batch_alter_table("role_requests") as table:
        table.drop_constraint(op.f("ck_role_requests_kind"), type_="check")
        table.create_check_constraint("kind", BEFORE)
        table.drop_column("keeps")
        table.drop_column("movement")
