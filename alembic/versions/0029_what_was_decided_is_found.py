"""what was decided is found by who said it and by unit, newest first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: str | None = None
depends_on: str | None = None

SAID = sa.text("at IS NOT NULL")
INDEXES = [("ix_request_steps_by_at", ["by", "at"]), ("ix_request_steps_unit_at", ["unit_id", "at"])]


def upgrade() -> None:
    for name, columns in INDEXES:
        op.create_index(name, "request_steps", columns, sqlite_where=SAID, postgresql_where=SAID)


def downgrade() -> None:
    for name, _ in INDEXES:
        op.drop_index(name, "request_steps")
