"""when VNeID or a certificate first came to an account, and which ways in are shut until their owner confirms them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None

ACCOUNTS = ("recovered_at", "vneid_at", "certificate_at")
KEPT = ("phones", "passwords", "certificates")

# An account that VNeID of level 2 or a certificate opened has proved its owner. One that has a password, or an
# identity of a second provider besides, may hold what a stranger has left: there the owner has still to come. So may
# one that an identity of level 1 has joined, which 0.2.0 let in by the number alone (A04).
PROVED = (
    "UPDATE accounts SET {column} = COALESCE(vouched_at, created_at) WHERE vouched_by = '{by}'"
    " AND assurance_level >= 2 AND status = 'active'"
    " AND NOT EXISTS (SELECT 1 FROM passwords p WHERE p.account_id = accounts.id)"
    " AND (SELECT COUNT(DISTINCT i.issuer) FROM identities i WHERE i.account_id = accounts.id) <= 1"
    " AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.account_id = accounts.id AND i.level < 2)"
)
BESIDE = (  # VNeID was added to it
    "UPDATE accounts SET vneid_at = (SELECT MIN(i.created_at) FROM identities i WHERE i.account_id = accounts.id"
    " AND i.level >= 2) WHERE certificate_at IS NOT NULL"
)


def upgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        for column in ACCOUNTS:
            batch_op.add_column(sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    for table in KEPT:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True))
    for column, by in (("vneid_at", "vneid"), ("certificate_at", "certificate")):
        op.execute(PROVED.format(column=column, by=by))
    op.execute(BESIDE)


def downgrade() -> None:
    for table in KEPT:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("kept_until")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        for column in ACCOUNTS:
            batch_op.drop_column(column)
