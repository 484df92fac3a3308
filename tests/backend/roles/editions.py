"""Catalogues as a province edits them, brought into a world's force."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import msgspec
from sqlalchemy import update

from backend.outbox.models import Delivery, System
from backend.outside.connectors import Desired
from backend.roles.catalogue.entries import Catalogue, FormField, Position
from backend.roles.catalogue.importing import CatalogueImport, CataloguePlan
from backend.roles.catalogue.in_force import in_force, read_file
from backend.roles.catalogue.writing import written
from backend.roles.desired import desired
from tests.backend.roles.world import World

Edit = Callable[[Catalogue], Catalogue]
HEAD = Position(
    code="hieu_truong", label="Hiệu trưởng", label_en="Headmaster", subject_types=("vien_chuc",), leading=True
)


def with_post(post: Position, catalogue: Catalogue) -> Catalogue:
    return msgspec.structs.replace(catalogue, positions={**catalogue.positions, post.code: post})


def without(table: str, code: str, catalogue: Catalogue) -> Catalogue:
    entries = {key: entry for key, entry in getattr(catalogue, table).items() if key != code}
    return msgspec.structs.replace(catalogue, **{table: entries})


def of_post(code: str, catalogue: Catalogue, **changes: object) -> Catalogue:
    return with_post(msgspec.structs.replace(catalogue.positions[code], **changes), catalogue)


def of_movement(code: str, catalogue: Catalogue, **changes: object) -> Catalogue:
    moves = {**catalogue.movements, code: msgspec.structs.replace(catalogue.movements[code], **changes)}
    return msgspec.structs.replace(catalogue, movements=moves)


def with_field(kind: str, field: FormField, catalogue: Catalogue) -> Catalogue:
    old = catalogue.subject_types[kind]
    fields = (*(one for one in old.fields if one.name != field.name), field)
    kinds = {**catalogue.subject_types, kind: msgspec.structs.replace(old, fields=fields)}
    return msgspec.structs.replace(catalogue, subject_types=kinds)


def job_of(world: World, catalogue: Catalogue) -> CatalogueImport:
    """An import of the catalogue as an operator's file says it."""
    return CatalogueImport(world.kit, read_file(written(catalogue).encode()), world.now)


async def bring_in(world: World, edit: Edit, catalogue: Catalogue | None = None) -> CataloguePlan:
    """Export, edit, import."""
    if catalogue is None:
        async with world.db.read() as tx:
            catalogue = await in_force(tx)
    job = job_of(world, edit(catalogue))
    async with world.db.read() as tx:
        plan = await job.plan(tx)
    async with world.db.write() as tx:
        await job.act(tx, by=None)
    return plan


async def in_force_now(world: World) -> Catalogue:
    async with world.db.read() as tx:
        return await in_force(tx)


async def held_by(world: World, name: str, system: UUID) -> Desired:
    async with world.db.read() as tx:
        account = world.people[name]
        return (await desired(tx, world.kit, [account], await tx.get_one(System, system)))[account]


async def settled(world: World) -> None:
    """Everything on its way has arrived, and no decision may be taken back any more."""
    world.pass_time(minutes=1)
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).values(state="done", done_at=world.now))


def groups(state: Desired) -> list[str]:
    return [group.external_id for group in state.groups]
