"""what somebody did, and whom a unit has in which state and position, is found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0039"
down_revision: str | None = "0038"
branch_labels: str | None = None
depends_on: str | None = None

HELD = sa.text("state IN ('scheduled', 'active', 'suspended')")


def upgrade() -> None:
    op.create_index("ix_journal_by_seq", "journal", ["by", "seq"])
    op.create_index("ix_roles_unit_state", "roles", ["unit_id", "state", "id"])
    op.create_index(
        "ix_roles_held_position",
        "roles",
        ["unit_id", "position", "id"],
        sqlite_where=HELD,
        postgresql_where=HELD,
    )


def downgrade() -> None:
    op.drop_index("ix_roles_held_position", "roles")
    op.drop_index("ix_roles_unit_state", "roles")
    op.drop_index("ix_journal_by_seq", "journal")
