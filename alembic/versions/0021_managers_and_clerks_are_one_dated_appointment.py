"""managers and the clerks of desks are one dated appointment.

A personal number is sealed for its table and row, so it is sealed anew: where there are such rows, this wants the keys,
which `ngomon migrate` has. Release 0.2.0 beside it goes on reading both under their old names, which are views now.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | None = None
depends_on: str | None = None

FIELD = "appointments.national_id"
DAYS = (("from_on", "from_on IS NOT NULL"), ("until_on", "until_on IS NOT NULL AND ended_at IS NULL"))
TIME = sa.DateTime(timezone=True)
TYPES = {
    "kind": sa.String(),
    **dict.fromkeys(("id", "unit_id", "desk_id", "ended_by_role"), sa.Uuid()),
    **dict.fromkeys(("national_id", "national_id_blind"), sa.LargeBinary()),
    **dict.fromkeys(("from_on", "until_on"), sa.Date()),
    **dict.fromkeys(("created_at", "ended_at", "added_at", "removed_at"), TIME),
}
WHO = ("id", "national_id", "national_id_blind")
OF_MANAGERS = (*WHO, "unit_id", "created_at", "from_on", "until_on", "ended_at", "ended_by_role")
OF_STAFF = (*WHO, "desk_id", "added_at", "removed_at")
AS_STAFF = {"added_at": "created_at", "removed_at": "ended_at"}
MANAGERS, STAFF, NEW = (
    sa.table(name, *(sa.column(column, TYPES[column]) for column in columns))
    for name, columns in (
        ("managers", OF_MANAGERS),
        ("support_staff", OF_STAFF),
        ("appointments", (*OF_MANAGERS, "kind", "desk_id")),
    )
)
VIEWS = {
    "managers": "SELECT id, unit_id, national_id_blind, national_id, created_at, from_on, until_on, ended_at, "
    "ended_by_role FROM appointments WHERE kind = 'manager'",
    "support_staff": "SELECT id, desk_id, national_id, national_id_blind, created_at AS added_at, "
    "ended_at AS removed_at FROM appointments WHERE kind = 'clerk'",
}


def upgrade() -> None:
    _new_table()
    connection = op.get_bind()
    rows = [_anew(dict(row), "managers", kind="manager") for row in _rows(connection, MANAGERS)]
    for row in _rows(connection, STAFF):
        named = {AS_STAFF.get(name, name): value for name, value in row.items()}
        rows.append(_anew(named, "support_staff", kind="clerk"))
    for row in rows:
        connection.execute(sa.insert(NEW).values(**row))
    op.drop_table("managers")
    op.drop_table("support_staff")
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def downgrade() -> None:
    for name in VIEWS:
        op.execute(f"DROP VIEW {name}")
    _old_tables()
    connection = op.get_bind()
    for row in _rows(connection, NEW):
        if row["kind"] == "manager":
            kept = {name: row[name] for name in OF_MANAGERS}
            connection.execute(sa.insert(MANAGERS).values(**_back(kept, "managers")))
        else:
            kept = {name: row[AS_STAFF.get(name, name)] for name in OF_STAFF}
            connection.execute(sa.insert(STAFF).values(**_back(kept, "support_staff")))
    op.drop_table("appointments")


def _rows(connection: sa.Connection, table: sa.TableClause) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def _anew(row: dict[str, Any], table: str, *, kind: str) -> dict[str, Any]:
    return row | {"kind": kind, "national_id": _sealed(row, f"{table}.national_id", FIELD)}


def _back(row: dict[str, Any], table: str) -> dict[str, Any]:
    return row | {"national_id": _sealed(row, FIELD, f"{table}.national_id")}


def _sealed(row: dict[str, Any], was: str, becomes: str) -> bytes:
    """The same number, sealed for its new place."""
    keys = context.config.attributes.get("keys")
    if keys is None:
        raise RuntimeError("who may act is sealed anew here: run `ngomon migrate`, which has the keys")
    return bytes(keys.seal(becomes, row["id"], keys.open(was, row["id"], row["national_id"])))


def _new_table() -> None:
    current = sa.text("ended_at IS NULL")
    op.create_table(
        "appointments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("desk_id", sa.Uuid(), nullable=True),
        sa.Column("national_id_blind", sa.LargeBinary(), nullable=False),
        sa.Column("national_id", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_by_role", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'manager' AND unit_id IS NOT NULL AND desk_id IS NULL) "
            "OR (kind = 'clerk' AND desk_id IS NOT NULL AND unit_id IS NULL)",
            name=op.f("ck_appointments_place"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_appointments_unit_id_units")),
        sa.ForeignKeyConstraint(
            ["desk_id"], ["support_desks.id"], name=op.f("fk_appointments_desk_id_support_desks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
    )
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.create_index("ix_appointments_blind", ["national_id_blind"], unique=False)
        batch_op.create_index(batch_op.f("ix_appointments_unit_id"), ["unit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_appointments_desk_id"), ["desk_id"], unique=False)
        for day, where in DAYS:
            there = sa.text(where)
            batch_op.create_index(f"ix_appointments_{day}", [day], sqlite_where=there, postgresql_where=there)
        for place in ("unit", "desk"):
            batch_op.create_index(
                f"uq_appointments_{place}",
                [f"{place}_id", "national_id_blind"],
                unique=True,
                sqlite_where=current,
                postgresql_where=current,
            )


def _old_tables() -> None:
    op.create_table(
        "managers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("national_id_blind", sa.LargeBinary(), nullable=False),
        sa.Column("national_id", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("ended_by_role", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_managers_unit_id_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_managers")),
    )
    op.create_table(
        "support_staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("national_id", sa.LargeBinary(), nullable=False),
        sa.Column("national_id_blind", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["desk_id"], ["support_desks.id"], name=op.f("fk_support_staff_desk_id_support_desks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_staff")),
    )
    for day, where in DAYS:
        there = sa.text(where)
        op.create_index(f"ix_managers_{day}", "managers", [day], sqlite_where=there, postgresql_where=there)
    for table, place, index, ended in (
        ("managers", "unit_id", "ix_managers_blind", "ended_at"),
        ("support_staff", "desk_id", "ix_support_staff_national_id_blind", "removed_at"),
    ):
        over = sa.text(f"{ended} IS NULL")
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(index, ["national_id_blind"], unique=False)
            batch_op.create_index(f"ix_{table}_{place}", [place], unique=False)
            batch_op.create_index(
                f"uq_{table}_current",
                [place, "national_id_blind"],
                unique=True,
                sqlite_where=over,
                postgresql_where=over,
            )
