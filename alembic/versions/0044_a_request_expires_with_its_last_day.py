"""a request that nobody has decided expires with the last day that it asks for: found by that day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0044"
down_revision: str | None = "0043"
branch_labels: str | None = None
depends_on: str | None = None

WANTED = sa.text("until_on IS NOT NULL AND status IN ('pending', 'returned')")


def upgrade() -> None:
    op.create_index(
        "ix_role_requests_until_on",
        "role_requests",
        ["until_on"],
        sqlite_where=WANTED,
        postgresql_where=WANTED,
    )


def downgrade() -> None:
    op.drop_index("ix_role_requests_until_on", "role_requests")
