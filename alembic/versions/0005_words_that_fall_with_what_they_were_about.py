"""corrections of requests, denied sign-ins, appointments that follow a post, notices that can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "request_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["accounts.id"], name=op.f("fk_request_changes_by_accounts")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["role_requests.id"], name=op.f("fk_request_changes_request_id_role_requests")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_changes")),
    )
    with op.batch_alter_table("request_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_changes_request_id"), ["request_id"], unique=False)

    with op.batch_alter_table("managers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("from_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("until_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("ended_by_role", sa.Uuid(), nullable=True))

    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("about", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_notices_about"), ["about"], unique=False)

    with op.batch_alter_table("role_requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("session_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("denied_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("kept_by", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("kept_reason", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("role_requests", schema=None) as batch_op:
        batch_op.drop_column("kept_reason")
        batch_op.drop_column("kept_by")
        batch_op.drop_column("denied_at")
        batch_op.drop_column("session_id")

    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notices_about"))
        batch_op.drop_column("about")

    with op.batch_alter_table("managers", schema=None) as batch_op:
        batch_op.drop_column("ended_by_role")
        batch_op.drop_column("until_on")
        batch_op.drop_column("from_on")

    with op.batch_alter_table("request_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_changes_request_id"))

    op.drop_table("request_changes")
