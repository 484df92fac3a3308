"""Who holds a request, since when, and how many words it still wants (rule 601)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.roles import beside, holding, policy, rights, rows, second
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, RoleRequest, Unit
from backend.roles.views import DetailedRequest, InForce, OwnRequest, Waiting, WaitingUnit


async def detailed(tx: AsyncSession, kit: Kit, shown: OwnRequest) -> DetailedRequest:
    """Of a request that its reader may see."""
    found = await tx.get_one(RoleRequest, shown.id)
    steps, role = await rows.steps_of(tx, found.id), await rows.role_now(tx, found.role_id)
    given = second.given(step.decision for step in steps if step.duty != policy.RELEASE)
    done = sum(sync.state == "synced" for sync in shown.sync)
    return DetailedRequest(
        **{name: getattr(shown, name) for name in OwnRequest.__struct_fields__},
        waiting_for=await _waiting(tx, kit, found, steps, [one.at for one in shown.corrections]),
        needs=await holding.needs(tx, await in_force(tx), found, role),
        given=given,
        in_force=InForce(done, len(shown.sync)),
        keeps=beside.kept(found),
        beside=await beside.of_request(tx, found),
    )


async def _waiting(
    tx: AsyncSession, kit: Kit, found: RoleRequest, steps: list[RequestStep], corrected: list[datetime]
) -> Waiting | None:
    waits = next((step for step in steps if step.decision is None), None)
    if found.status != policy.PENDING or waits is None:
        return None
    unit = await _unit(tx, kit, waits, found.account_id)
    said = [step.at for step in steps if step.at is not None]
    named = WaitingUnit(unit.id, unit.code, unit.name) if unit is not None else None
    return Waiting(named, max([found.created_at, *corrected, *said]), waits.due_on)


async def _unit(tx: AsyncSession, kit: Kit, waits: RequestStep, applicant: UUID) -> Unit | None:
    """The unit whose managers decide, which may lie above the one that is asked."""
    asked = await tx.get_one(Unit, waits.unit_id)
    deciding = (await rights.deciding_units(tx, kit, [asked], about=applicant, on=None))[asked.id].nearest
    return await tx.get(Unit, deciding) if deciding is not None else None
