"""reorganisations: by which decision, how far, and each row that moved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | None = None
depends_on: str | None = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "reorganisations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("reversed_at", TIME, nullable=True),
        sa.CheckConstraint(
            "state IN ('running','done','reversing','reversed')", name=op.f("ck_reorganisations_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reorganisations")),
    )
    op.create_table(
        "reorganised_rows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("new_id", sa.Uuid(), nullable=True),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("left", sa.Boolean(), nullable=False),
        sa.Column("back_at", TIME, nullable=True),
        sa.CheckConstraint(
            "kind IN ('role','planned','staff','appointment','request','step')",
            name=op.f("ck_reorganised_rows_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["reorganisations.id"], name=op.f("fk_reorganised_rows_run_id_reorganisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reorganised_rows")),
    )
    op.create_index("ix_reorganised_rows_run_id_kind_id", "reorganised_rows", ["run_id", "kind", "id"])
    op.create_index("ix_reorganised_rows_new_id", "reorganised_rows", ["new_id"])


def downgrade() -> None:
    op.drop_table("reorganised_rows")
    op.drop_table("reorganisations")
