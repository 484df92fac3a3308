"""operators stop systems and pass deliveries over; when each system was last compared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.db import UtcDateTime

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | None = None
depends_on: str | None = None

BEFORE = "state IN ('pending','leased','done','dead','cancelled')"
NOW = "state IN ('pending','leased','done','dead','cancelled','skipped')"
SETTLED = "ix_deliveries_settled"


def upgrade() -> None:
    op.add_column("systems", sa.Column("stopped_until", UtcDateTime(), nullable=True))
    op.add_column("systems", sa.Column("reconciled_at", UtcDateTime(), nullable=True))
    op.execute("UPDATE systems SET reconciled_at = created_at")
    _index("state IN ('done', 'cancelled', 'skipped')")
    with op.batch_alter_table("deliveries") as table:
        table.add_column(sa.Column("skipped_because", sa.LargeBinary(), nullable=True))
        table.drop_constraint(op.f("ck_deliveries_state"), type_="check")
        table.create_check_constraint("state", NOW)


def downgrade() -> None:
    op.execute("UPDATE deliveries SET state = 'cancelled' WHERE state = 'skipped'")
    _index("state IN ('done', 'cancelled')")
    with op.batch_alter_table("deliveries") as table:
        table.drop_constraint(op.f("ck_deliveries_state"), type_="check")
        table.create_check_constraint("state", BEFORE)
        table.drop_column("skipped_because")
    op.drop_column("systems", "reconciled_at")
    op.drop_column("systems", "stopped_until")


def _index(where: str) -> None:
    op.drop_index(SETTLED, "deliveries")
    told = sa.text(where)
    op.create_index(SETTLED, "deliveries", ["changed_at"], sqlite_where=told, postgresql_where=told)
