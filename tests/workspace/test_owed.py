"""Roles and decisions of which the journal does not speak, or speaks otherwise, are found (A07)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from backend.journal import Entry
from backend.roles import acts, review
from backend.roles.models import Role, RoleRequest
from backend.roles.movements import END
from backend.roles.owed import Owed, owed
from tests.workspace.office import Office


class TakenBack(Exception):
    """Nothing of this is kept."""


async def trouble(office: Office, *changes: Any, without: tuple[str, UUID] | None = None) -> str | None:
    """What is owed after changes that are taken back, as if entries that name `without` were cut away."""
    found: list[str | None] = []
    with suppress(TakenBack):
        async with office.service.db.write() as tx:
            for change in changes:
                await tx.execute(change)
            witness = await owed(tx)
            told = select(Entry).where(Entry.tag.in_(witness.tags)).order_by(Entry.seq)
            for entry in await tx.scalars(told):
                if without is None or not (entry.tag == without[0] and str(without[1]) in entry.fact):
                    witness.hear(entry)
            found.append(witness.trouble())
            raise TakenBack
    return found[0]


async def test_a07_a_role_without_its_entry_is_found(office: Office) -> None:
    request = await office.has_role("Ngô Thị Nhậm")
    async with office.service.db.read() as tx:
        role = await tx.scalar(select(Role.id).where(Role.request_id == request))
    assert role is not None and await trouble(office) is None
    said = "and the journal does not say so"
    assert (
        await trouble(office, without=("role.begun", role)) == f"role without entry: {role} is active, {said}"
    )
    assert (
        await trouble(office, without=("role.request_decided", request))
        == f"decision without entry: request {request} is approved, {said}"
    )
    planned = update(Role).where(Role.id == role).values(state="scheduled")
    assert await trouble(office, planned) is None, "what has begun had been planned"
    unsaid = await trouble(office, planned, without=("role.begun", role))
    assert unsaid == f"role without entry: {role} is scheduled, {said}"


def test_a07_a_role_that_was_only_planned_is_not_in_force() -> None:
    role = uuid4()
    for state, found in (("scheduled", False), ("active", True), ("suspended", True)):
        witness = Owed({role: state}, {})
        witness.hear(Entry(tag="role.scheduled", subject=uuid4(), fact=f'{{"role":"{role}"}}'))
        assert bool(witness.trouble()) is found, state


async def test_a07_a_decision_that_was_turned_round_is_found(office: Office) -> None:
    request = await office.asks("Ngô Sĩ Liên")
    service, now = office.service, office.service.clock.now()
    async with service.db.write() as tx:
        await review.reject(
            tx, service.kit, request, "Thiếu hồ sơ", version=1, by=office.chi.account_id, now=now
        )
    assert await trouble(office) is None
    turned = update(RoleRequest).where(RoleRequest.id == request).values(status="approved")
    assert f"request {request} is approved" in str(await trouble(office, turned))


async def test_a07_a_role_that_had_ended_and_stands_again_is_found_and_an_undo_is_not(office: Office) -> None:
    request = await office.has_role("Ngô Quyền Lực")
    service, now = office.service, office.service.clock.now()
    async with service.db.read() as tx:
        role = await tx.scalar(select(Role.id).where(Role.request_id == request))
    assert role is not None
    async with service.db.write() as tx:
        ending = await acts.act(
            tx, service.kit, role, END, reason="Nghỉ việc", by=office.chi.account_id, now=now
        )
        assert isinstance(ending, RoleRequest)
    again = update(Role).where(Role.id == role).values(state="active", ended_at=None)
    assert f"role without entry: {role}" in str(await trouble(office, again))
    async with service.db.write() as tx:
        await review.undo(tx, service.kit, ending.id, by=office.chi.account_id, now=now)
    assert await trouble(office) is None
