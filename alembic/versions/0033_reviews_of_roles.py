"""reviews of a unit's roles, each role with the word about it; how long the product has really run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: str | None = None
depends_on: str | None = None

TIME = sa.DateTime(timezone=True)
OPEN, WAITING = sa.text("closed_at IS NULL"), sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "lived_time",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lived_time")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("reminded_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_reviews_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(
        "uq_reviews_open", "reviews", ["unit_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_table(
        "reviewed_roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("role_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", TIME, nullable=True),
        sa.Column("first_at", TIME, nullable=True),
        sa.Column("first_lived", sa.BigInteger(), nullable=True),
        sa.Column("second_at", TIME, nullable=True),
        sa.Column("second_lived", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting','confirmed','ended','left')", name=op.f("ck_reviewed_roles_state")
        ),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name=op.f("fk_reviewed_roles_review_id_reviews")
        ),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_reviewed_roles_role_id_roles")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_reviewed_roles_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewed_roles")),
        sa.UniqueConstraint("review_id", "role_id", name=op.f("uq_reviewed_roles_review_id_role_id")),
    )
    for name, columns in (
        ("ix_reviewed_roles_role", ["role_id"]),
        ("ix_reviewed_roles_waiting", ["unit_id", "id"]),
    ):
        op.create_index(name, "reviewed_roles", columns, sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    op.drop_table("reviewed_roles")
    op.drop_table("reviews")
    op.drop_table("lived_time")
