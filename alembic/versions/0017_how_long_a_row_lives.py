"""how long a row lives: an index of each moment after which rows are forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | None = None
depends_on: str | None = None

PLAIN = [
    ("sessions", "absolute_expires_at"),
    ("refresh_tokens", "expires_at"),
    ("one_time_codes", "expires_at"),
    ("access_history", "at"),
    ("phone_change_slips", "valid_until"),
    ("support_read_mails", "at"),
]
FILLED = [
    ("passwords", "kept_until"),
    ("phones", "kept_until"),
    ("certificates", "kept_until"),
    ("support_cases", "closed_at"),
    ("notices", "read_at"),
    ("notices", "until"),
]
OTHERS = [
    ("ix_deliveries_settled", "deliveries", "changed_at", "state IN ('done', 'cancelled')"),
    ("ix_support_mails_dealt_with", "support_mails", "not_before", "(sent_at IS NOT NULL OR attempts >= 64)"),
]


def upgrade() -> None:
    for table, column in PLAIN:
        op.create_index(f"ix_{table}_{column}", table, [column])
    for table, column in FILLED:
        _partial(f"ix_{table}_{column}", table, column, f"{column} IS NOT NULL")
    for name, table, column, where in OTHERS:
        _partial(name, table, column, where)


def downgrade() -> None:
    for name, table, _, _ in OTHERS:
        op.drop_index(name, table)
    for table, column in FILLED + PLAIN:
        op.drop_index(f"ix_{table}_{column}", table)


def _partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
