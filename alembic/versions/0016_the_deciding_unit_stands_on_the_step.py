"""the deciding unit stands on every step that waits; it is worked out here for what waits already.

What release 0.2.0 writes beside this one is placed by the running service (`backend.roles.deciding.fill`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None

WAITING = sa.text("decider_id IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("request_steps", schema=None) as batch_op:
        batch_op.add_column(sa.Column("decider_id", sa.Uuid(), nullable=True))
        for name, columns in (
            ("ix_request_steps_decider", ["decider_id", "request_id"]),
            ("ix_request_steps_decider_unit", ["decider_id", "unit_id", "request_id"]),
        ):
            batch_op.create_index(name, columns, sqlite_where=WAITING, postgresql_where=WAITING)
    _place(op.get_bind())


def downgrade() -> None:
    with op.batch_alter_table("request_steps", schema=None) as batch_op:
        batch_op.drop_index("ix_request_steps_decider_unit")
        batch_op.drop_index("ix_request_steps_decider")
        batch_op.drop_column("decider_id")


def _place(connection: sa.Connection) -> None:
    """The nearest unit upwards that has managers among whom the applicant is not."""
    managers: dict[str, set[bytes]] = {}
    said = "SELECT unit_id, national_id_blind FROM managers WHERE ended_at IS NULL AND from_on IS NULL"
    for unit, blind in connection.execute(sa.text(said)):
        managers.setdefault(_plain(unit), set()).add(bytes(blind))
    own: dict[str, set[bytes]] = {}
    said = (
        "SELECT i.account_id, i.blind FROM identifiers i WHERE i.kind = 'national_id' AND i.ended_at IS NULL "
        "AND i.blind IN (SELECT national_id_blind FROM managers WHERE ended_at IS NULL AND from_on IS NULL)"
    )
    for account, blind in connection.execute(sa.text(said)):
        own.setdefault(_plain(account), set()).add(bytes(blind))
    said = (
        "SELECT s.id, r.account_id, u.path FROM request_steps s JOIN role_requests r ON r.id = s.request_id "
        "JOIN units u ON u.id = s.unit_id WHERE r.status = 'pending' AND s.decision IS NULL"
    )
    placed = []
    for step, account, path in connection.execute(sa.text(said)).all():
        mine = own.get(_plain(account), set())
        for unit in map(_plain, reversed(path.strip("/").split("/"))):
            if unit in managers and mine.isdisjoint(managers[unit]):
                placed.append({"step": step, "unit": _as_stored(connection, unit)})
                break
    if placed:
        connection.execute(sa.text("UPDATE request_steps SET decider_id = :unit WHERE id = :step"), placed)


def _plain(value: Any) -> str:
    """An id without its dashes, as SQLite stores it."""
    return str(value).replace("-", "")


def _as_stored(connection: sa.Connection, unit: str) -> Any:
    return unit if connection.dialect.name == "sqlite" else UUID(unit)
