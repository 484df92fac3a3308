"""notices of roles are pushed once they stand: when, beside the notice.

Notices of before are not pushed any more; release 0.2.0 beside this one goes on writing rows without it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("notices", sa.Column("push_at", sa.DateTime(timezone=True), nullable=True))
    there = sa.text("push_at IS NOT NULL")
    op.create_index("ix_notices_push_at", "notices", ["push_at"], sqlite_where=there, postgresql_where=there)


def downgrade() -> None:
    op.drop_index("ix_notices_push_at", "notices")
    op.drop_column("notices", "push_at")
