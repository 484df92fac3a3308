"""what a report counts is found in an index of its own: roles in force by what they are, and the newest words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | None = "0044"
branch_labels: str | None = None
depends_on: str | None = None

IN_FORCE = sa.text("state = 'active'")
SAID = sa.text("at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_roles_in_force",
        "roles",
        ["unit_id", "subject_type"],
        sqlite_where=IN_FORCE,
        postgresql_where=IN_FORCE,
    )
    op.create_index(
        "ix_request_steps_at",
        "request_steps",
        ["at", "unit_id"],
        sqlite_where=SAID,
        postgresql_where=SAID,
    )


def downgrade() -> None:
    op.drop_index("ix_request_steps_at", "request_steps")
    op.drop_index("ix_roles_in_force", "roles")
