"""a manager lends the right to decide: a delegate's appointment, and on a step by which one it was spoken.

The views of 0021 are taken away while SQLite makes the table anew, and put back as they were.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | None = None
depends_on: str | None = None

PLACES = (
    "(kind = 'manager' AND unit_id IS NOT NULL AND desk_id IS NULL)",
    "(kind = 'clerk' AND desk_id IS NOT NULL AND unit_id IS NULL)",
)
OF_DELEGATE = (
    "(kind = 'delegate' AND unit_id IS NOT NULL AND desk_id IS NULL AND lent_from IS NOT NULL "
    "AND decider_id IS NOT NULL AND kinds IS NOT NULL AND until_on IS NOT NULL)"
)
VIEWS = {
    "managers": "SELECT id, unit_id, national_id_blind, national_id, created_at, from_on, until_on, ended_at, "
    "ended_by_role FROM appointments WHERE kind = 'manager'",
    "support_staff": "SELECT id, desk_id, national_id, national_id_blind, created_at AS added_at, "
    "ended_at AS removed_at FROM appointments WHERE kind = 'clerk'",
}


def upgrade() -> None:
    _without_views()
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("lent_from", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("decider_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("kinds", sa.String(length=120), nullable=True))
        batch_op.drop_constraint(op.f("ck_appointments_place"), type_="check")
        batch_op.create_check_constraint(op.f("ck_appointments_place"), " OR ".join((*PLACES, OF_DELEGATE)))
        batch_op.drop_index("uq_appointments_unit")
        batch_op.create_index(batch_op.f("ix_appointments_lent_from"), ["lent_from"], unique=False)
    _one_of_a_unit("ended_at IS NULL AND kind = 'manager'")
    _with_views()
    op.add_column("request_steps", sa.Column("delegation_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("request_steps", schema=None) as batch_op:
        batch_op.drop_column("delegation_id")
    op.execute("DELETE FROM appointments WHERE kind = 'delegate'")
    _without_views()
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.drop_index("uq_appointments_unit")
        batch_op.drop_index(batch_op.f("ix_appointments_lent_from"))
        batch_op.drop_constraint(op.f("ck_appointments_place"), type_="check")
        batch_op.create_check_constraint(op.f("ck_appointments_place"), " OR ".join(PLACES))
        for column in ("lent_from", "decider_id", "kinds"):
            batch_op.drop_column(column)
    _one_of_a_unit("ended_at IS NULL")
    _with_views()


def _one_of_a_unit(where: str) -> None:
    there, columns = sa.text(where), ["unit_id", "national_id_blind"]
    op.create_index(
        "uq_appointments_unit",
        "appointments",
        columns,
        unique=True,
        sqlite_where=there,
        postgresql_where=there,
    )


def _without_views() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")


def _with_views() -> None:
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
