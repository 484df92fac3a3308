"""what an account has said before another of the same person took it over is said by that one; its entries get places.

Until now it stayed with the closed account, and a second person's word could be the first one's.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision: str = "0048"
down_revision: str | None = "0047"
branch_labels: str | None = None
depends_on: str | None = None

WORDS = (("request_steps", "by"), ("appointments", "by"), ("support_joins", "proposed_by"), ("support_names", "proposed_by"))  # fmt: skip


def upgrade() -> None:
    accounts = sa.table("accounts", sa.column("id", sa.Uuid()), sa.column("joined_into", sa.Uuid()))
    closed = sa.select(accounts.c.id, accounts.c.joined_into).where(accounts.c.joined_into.is_not(None))
    into: dict[UUID, UUID] = dict(op.get_bind().execute(closed).all())  # type: ignore[arg-type]
    for goes, next_one in into.items():
        stays = next_one
        while stays in into:  # taken over in turn
            stays = into[stays]
        for table, column in WORDS:
            rows = sa.table(table, sa.column(column, sa.Uuid()))
            op.execute(sa.update(rows).where(rows.c[column] == goes).values({column: stays}))
    if into:
        op.execute("UPDATE journal_placed SET seq = 0")


def downgrade() -> None:
    """Whose account it was is not said anywhere any more; the words are the same person's."""
