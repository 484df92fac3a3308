"""nobody is leased twice at one system: the rule of the turns as a unique index.

What is leased while the schema changes goes back and is leased again: sending twice does no harm. Release 0.2.0 beside it
locks each pair before it leases, so that the index refuses it nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None

LEASED = sa.text("state = 'leased'")


def upgrade() -> None:
    op.execute(
        "UPDATE deliveries SET state = 'pending', lease_token = NULL, lease_until = NULL WHERE state = 'leased'"
    )
    op.create_index(
        "uq_deliveries_leased",
        "deliveries",
        ["system_id", "account_id"],
        unique=True,
        sqlite_where=LEASED,
        postgresql_where=LEASED,
    )


def downgrade() -> None:
    op.drop_index("uq_deliveries_leased", table_name="deliveries")
