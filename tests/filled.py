"""One row in every table, all of one person, with a word of its own in every sealed column: made from the metadata."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import LargeBinary
from sqlalchemy.ext.asyncio import AsyncSession

from backend import sealed
from backend.db import UtcDateTime, new_id
from backend.kit import Kit
from backend.roles.catalogue.in_force import shipped
from backend.roles.catalogue.in_force import text_of as text_of_catalogue
from backend.roles.changes import Wish

VALUES: dict[str, Any] = {  # where any text will not do
    "identifiers.kind": "national_id",
    "roles.state": "ended",
    "roles.end_reason": "ended",
    "role_requests.kind": "register",
    "role_requests.status": "rejected",
    "role_requests.version": 2,  # it was given back, and corrected
    "deliveries.state": "done",
    "support_cases.origin": "app",
    "support_messages.author": "person",
    "notices.kind": "case_opened",
    "attributes.name": "email",
    "identifiers.ended_at": None,
    "sessions.end_reason": "signed_out",
    "one_time_codes.attempts": 1,
    "passwords.hash": "-",
    "appointments.kind": "manager",
    "appointments.desk_id": None,
    "reorganisations.state": "done",
    "reorganised_rows.kind": "role",
    "catalogue_versions.text": text_of_catalogue(shipped()),
}
FORMS = {"roles.fields", "role_requests.fields", "notices.details", "staff_records.sealed"}  # JSON of words
NUMBER = "000090123456"
STAND_ALONE = {"journal", "journal_head", "journal_closed", "key_prints"}  # what the chain is made of


def word(field: str) -> str:
    """What the sealed column says in the row that is made."""
    return {"identifiers.value": NUMBER, "accounts.birth_date": "1990-02-03"}.get(field, f"lời của {field}")


def text_of(field: str, made: dict[str, Any]) -> str:
    """The same in the form that the column has."""
    if field == "request_changes.before":
        was = Wish(made["units"].id, "x", "x", None, None, {"said": word(field)})
        return msgspec.json.encode(was).decode()
    if field not in FORMS:
        return word(field)
    said = {"said": word(field), "national_id": NUMBER, "official_email": f"{field}@hue.example"}
    return msgspec.json.encode(said).decode()


async def fill(tx: AsyncSession, kit: Kit, *, now: datetime) -> UUID:
    """Make the rows; the account's identifier."""
    made: dict[str, Any] = {}
    for model in sealed.models():
        if model.__tablename__ in STAND_ALONE:
            continue
        row = made[model.__tablename__] = model()
        account = made["accounts"].id if "accounts" in made else None
        for column in model.__table__.columns:
            setattr(row, column.name, _value(column, made, account, model, now))
        texts = {}
        for one in sealed.sealed_in(model):
            texts[one.column] = text_of(one.field, made)
            setattr(row, one.column, kit.keys.seal(one.field, row.id, texts[one.column]))
        for column, makes in sealed.indexes_in(model).items():
            setattr(row, column, next(iter(makes(kit.keys, row, texts)), None))
        tx.add(row)
        await tx.flush()
    return made["accounts"].id  # type: ignore[no-any-return]


def _value(column: Any, made: dict[str, Any], account: UUID | None, model: Any, now: datetime) -> Any:
    place = f"{model.__tablename__}.{column.name}"
    whose = getattr(model, "whose", None)
    if place in VALUES:
        return VALUES[place]
    if whose is not None and column.name == whose.column and model.__tablename__ != "accounts":
        return account if whose.via is None else made[whose.via].id
    if column.foreign_keys:
        (target,) = column.foreign_keys
        return made[target.column.table.name].id if target.column.table.name in made else None
    if column.default is not None and not column.primary_key:
        return column.default.arg
    kind = datetime if isinstance(column.type, UtcDateTime) else column.type.python_type
    if column.nullable and kind is not datetime:
        return None
    if kind is UUID:
        return new_id()
    if isinstance(column.type, LargeBinary):
        return place.encode()
    return {str: "x", int: 1, bool: True, datetime: now, date: now.date()}[kind]
