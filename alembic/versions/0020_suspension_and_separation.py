"""suspension and separation."""

from __future__ import annotations

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | None = None
depends_on: str | None = None

BEFORE = "kind IN ('register','amend','transfer','concurrent','end')"
NOW = "kind IN ('register','amend','transfer','concurrent','end','suspension','separation')"


def upgrade() -> None:
    with op.batch_alter_table("role_requests") as table:
        table.drop_constraint(op.f("ck_role_requests_kind"), type_="check")
        table.create_check_constraint("kind", NOW)


def downgrade() -> None:
    with op.batch_alter_table("role_requests") as table:
        table.drop_constraint(op.f("ck_role_requests_kind"), type_="check")
        table.create_check_constraint("kind", BEFORE)
