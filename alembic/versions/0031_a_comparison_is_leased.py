"""a comparison is leased, so that a night is not lost with its worker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backend.db

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("systems", sa.Column("comparing_until", backend.db.UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("systems") as batch:
        batch.drop_column("comparing_until")
