"""lists that stay flat: indexes of the journal by kind, of what waits at a system, of the next day in the calendar."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None

WAITING = "state IN ('pending', 'leased', 'dead')"
TRIED = "attempts > 0 AND state IN ('pending', 'leased')"
PARTIAL = [
    ("ix_deliveries_waiting", "deliveries", ["system_id", "created_at"], WAITING),
    ("ix_deliveries_tried", "deliveries", ["system_id"], TRIED),
    ("ix_roles_held", "roles", ["unit_id", "id"], "state IN ('scheduled', 'active', 'suspended')"),
    ("ix_managers_from_on", "managers", ["from_on"], "from_on IS NOT NULL"),
    ("ix_managers_until_on", "managers", ["until_on"], "until_on IS NOT NULL AND ended_at IS NULL"),
    ("ix_roles_until_on", "roles", ["until_on"], "until_on IS NOT NULL AND state IN ('active', 'suspended')"),
    (
        "ix_role_requests_to_come",
        "role_requests",
        ["effective_on"],
        "status = 'approved' AND applied_at IS NULL",
    ),
]


def upgrade() -> None:
    op.drop_index("ix_journal_tag", "journal")
    op.create_index("ix_journal_tag_seq", "journal", ["tag", "seq"])
    op.create_index("ix_links_system_id_state_checked_at", "links", ["system_id", "state", "checked_at"])
    for name, table, columns, where in PARTIAL:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table, _, _ in PARTIAL:
        op.drop_index(name, table)
    op.drop_index("ix_links_system_id_state_checked_at", "links")
    op.drop_index("ix_journal_tag_seq", "journal")
    op.create_index("ix_journal_tag", "journal", ["tag"])
