"""What a correction changed in a request, old and new side by side (R01)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity.people import full_names
from backend.kit import Kit
from backend.roles import beside, movements
from backend.roles import draft as drafts
from backend.roles.catalogue.entries import Catalogue, SubjectType
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestChange, RoleRequest, Unit
from backend.roles.views import Correction, Difference, Return
from backend.statements import Question, by_number, listed, one_of
from backend.words import mark as _

FIRST = 1  # version of a request: it was never given back, so nobody has corrected it
LABELS = {
    "unit": _("Đơn vị"),
    "subject_type": _("Đối tượng"),
    "position": _("Chức vụ"),
    "effective_on": _("Ngày hiệu lực"),
    "until": _("Đến hết ngày"),
    "keeps": _("Kiêm nhiệm giữ lại"),
}


class Wish(msgspec.Struct, frozen=True):
    """What a request says: whereto, as what, from when to when, with which form."""

    unit_id: UUID
    subject_type: str
    position: str
    effective_on: date | None
    until_on: date | None
    fields: dict[str, str]
    keeps: list[UUID] = []
    returned: list[Return] = []  # why it was corrected after that


class Made(NamedTuple):
    """A correction as it is kept."""

    id: UUID
    request_id: UUID
    by: UUID
    at: datetime
    before: bytes


@by_number
def made_in(count: int) -> Question[Made]:
    """The corrections of so many requests, oldest first."""
    columns = (getattr(RequestChange, name) for name in Made._fields)
    query = select(*columns).where(one_of("request", count, RequestChange.request_id))
    return Question(Made, query.order_by(RequestChange.id))


class Names(NamedTuple):
    """What the parts of a wish are called."""

    units: dict[UUID, Unit]
    posts: dict[UUID, str]  # the unit of each concurrent post
    catalogue: Catalogue


def wish_of(kit: Kit, found: RoleRequest) -> Wish:
    """What the request says now."""
    return Wish(
        found.unit_id,
        found.subject_type,
        found.position,
        found.effective_on,
        found.until_on,
        drafts.asked_fields(kit, found),
        beside.kept(found),
    )


async def corrections_of(
    tx: AsyncSession, kit: Kit, requests: Sequence[RoleRequest]
) -> dict[UUID, list[Correction]]:
    """Per request its corrections, oldest first."""
    found: dict[UUID, list[Correction]] = {request.id: [] for request in requests}
    moved = [request.id for request in requests if request.version > FIRST]
    rows: dict[UUID, list[Made]] = {}
    for row in await made_in(len(moved)).all(tx, **listed("request", moved)) if moved else ():
        rows.setdefault(row.request_id, []).append(row)
    if not rows:
        return found
    wishes = {
        request.id: [*(_before(kit, row) for row in rows[request.id]), wish_of(kit, request)]
        for request in requests
        if request.id in rows
    }
    units = await _units(tx, {wish.unit_id for said in wishes.values() for wish in said})
    posts = await beside.words_of(
        tx, {one for said in wishes.values() for wish in said for one in wish.keeps}
    )
    catalogue = await in_force(tx)
    names = await full_names(tx, kit, {row.by for changes in rows.values() for row in changes})
    for request in requests:
        form = movements.of(request).form
        for nth, row in enumerate(rows.get(request.id, ())):
            old, new = wishes[request.id][nth : nth + 2]
            differences = list(_differences(old, new, form, Names(units, posts, catalogue)))
            found[request.id].append(Correction(names[row.by], row.at, differences, old.returned))
    return found


def in_vietnamese(made: Correction) -> Correction:
    """The correction as a copy of the person's data has it: plain text, in the language of the records."""
    texts = (
        msgspec.structs.replace(
            one, label=str(one.label), old_words=str(one.old_words), new_words=str(one.new_words)
        )
        for one in made.differences
    )
    return msgspec.structs.replace(made, differences=[*texts])


def _before(kit: Kit, row: Made) -> Wish:
    return msgspec.json.decode(kit.keys.open("request_changes.before", row.id, row.before), type=Wish)


def _differences(old: Wish, new: Wish, form: SubjectType | None, names: Names) -> Iterator[Difference]:
    was, now, catalogue = _said(old, names), _said(new, names), names.catalogue
    for name, label in LABELS.items():
        if was[name] != now[name]:
            yield Difference(name, label, was[name][0], now[name][0], was[name][1], now[name][1])
    form = form or catalogue.subject_types.get(new.subject_type)
    known = {field.name: field for field in (movements.with_papers(form).fields if form else ())}
    for name in dict.fromkeys([*old.fields, *new.fields]):
        before, after = old.fields.get(name, ""), new.fields.get(name, "")
        if before != after:
            field = known.get(name)
            words = {option.value: option.words for option in (field.options if field else ())}
            shown = words.get(before, before), words.get(after, after)
            yield Difference(f"fields.{name}", field.words if field else name, before, after, *shown)


def _said(wish: Wish, names: Names) -> dict[str, tuple[str, str]]:
    """Each part as its code and in words."""
    unit, catalogue = names.units[wish.unit_id], names.catalogue
    return {
        "unit": (unit.code, unit.name),
        "subject_type": (wish.subject_type, catalogue.subject_label(wish.subject_type)),
        "position": (wish.position, catalogue.position_label(wish.position)),
        "effective_on": _day(wish.effective_on),
        "until": _day(wish.until_on),
        "keeps": (
            ", ".join(str(one) for one in wish.keeps),
            ", ".join(names.posts.get(one, "") for one in wish.keeps),
        ),
    }


def _day(day: date | None) -> tuple[str, str]:
    return (day.isoformat(), f"{day:%d/%m/%Y}") if day else ("", "")


async def _units(tx: AsyncSession, ids: set[UUID]) -> dict[UUID, Unit]:
    return {unit.id: unit for unit in await tx.scalars(select(Unit).where(Unit.id.in_(ids)))}
