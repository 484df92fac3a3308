"""mailboxes of organisations, and who keeps them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import backend.db

revision: str = "0038"
down_revision: str | None = "0037"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("keeper_blind", sa.LargeBinary(), nullable=False),
        sa.Column("keeper", sa.LargeBinary(), nullable=False),
        sa.Column("kept_since", backend.db.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_mailboxes_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint("address", name=op.f("uq_mailboxes_address")),
    )
    op.create_index(op.f("ix_mailboxes_unit_id"), "mailboxes", ["unit_id"])
    op.create_index(op.f("ix_mailboxes_keeper_blind"), "mailboxes", ["keeper_blind"])


def downgrade() -> None:
    op.drop_table("mailboxes")
