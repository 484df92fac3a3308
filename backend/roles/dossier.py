"""One request as a manager sees it: who, what, the words so far, what it changes where (rule 820)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.errors import Conflict, Refusal
from backend.kit import Kit
from backend.names import masked
from backend.outbox import states
from backend.roles import (
    authority,
    beside,
    cancelling,
    carried,
    changes,
    comparing,
    foreseen,
    holding,
    movements,
    own,
    policy,
    rights,
    rows,
    second,
    staff,
    vouching,
)
from backend.roles import draft as drafts
from backend.roles.authority import Authority
from backend.roles.catalogue.entries import Catalogue, FieldType
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.policy import Standing
from backend.roles.views import Applicant, FieldView, RequestView, Why
from backend.words import Label

PAPERS = {paper.name for paper in movements.PAPERS}


async def view(tx: AsyncSession, kit: Kit, request_id: UUID, reader: UUID, *, now: datetime) -> RequestView:
    """Everything about one request, or RequestNotFound for who may not know of it (rule 613)."""
    found = await rows.request_of(tx, request_id)
    if found is None:
        raise policy.RequestNotFound
    steps, account = await rows.steps_of(tx, request_id), await rows.account_of(tx, found.account_id)
    who = await authority.of(tx, kit, reader, now=now)
    standing = await rights.standing(tx, kit, found, steps, who)
    if refusal := policy.why_not_see(standing):
        raise refusal
    catalogue, units = await in_force(tx), {step.unit_id: step.unit for step in steps}
    others = {found.created_by, found.decided_by, found.kept_by} - {account.id}
    names = {account.id: _name(kit, account)} | await full_names(tx, kit, others)
    old = await rows.role_now(tx, found.role_id)
    theirs = rights.why_not_take_over_as(standing, found) is None
    returned = found.status == policy.RETURNED
    decided = policy.why_not_decide(standing, status=found.status, decided=rows.last_word(found))
    return RequestView(
        account_id=account.id,
        applicant=await _applicant(tx, kit, account),
        created_by=names[found.created_by],
        decided_by=names.get(found.decided_by) if found.decided_by else None,
        **await _history(tx, kit, found, steps, now),
        why_you=_why(standing, steps, units, await _lenders(tx, kit, who, standing)),
        why_not_decide=decided or await second.why_not(tx, kit, steps, standing, who, now),
        why_not_approve=await _why_not_approve(tx, found, account, old),
        **await _agreement(tx, catalogue, found, old, steps),
        may_keep=not carried.OURS.isdisjoint(standing.duties),
        kept_by=names.get(found.kept_by) if found.kept_by else None,
        may_correct=theirs and returned and movements.of(found).by_managers,
        may_withdraw=theirs and cancelling.may_withdraw(found, reader, now),
        undo_until=_undo_until(kit, found, steps, reader, now),
        compared=await comparing.compared(tx, kit, found, account, old)
        if found.status in policy.OPEN and standing.duties
        else None,
        **await _ahead(tx, kit, found, account, old, now),
        **_wished(kit, catalogue, found, steps, units),
    )


async def _ahead(
    tx: AsyncSession, kit: Kit, found: RoleRequest, account: Account, old: Role | None, now: datetime
) -> dict[str, Any]:
    """What a yes would change, or will on the day for which it was said."""
    is_open, to_come = found.status in policy.OPEN, cancelling.is_to_come(found, now)
    goes = is_open and movements.of(found).leaves and not found.kept_by
    return {
        "effects": await foreseen.effects(tx, kit, found, old, account) if is_open or to_come else [],
        "unproved_address": is_open and await _is_unproved(tx, kit, found),
        "at_stake": await carried.outlook(tx, kit, old) if goes else None,
        "told_on": found.effective_on if to_come else None,
        "beside": await beside.of_request(tx, found),
    }


async def _history(
    tx: AsyncSession, kit: Kit, found: RoleRequest, steps: list[RequestStep], now: datetime
) -> dict[str, Any]:
    """The words so far, what was corrected, and how far the systems are: nowhere, while nobody has ever said yes."""
    said = any(step.decision for step in steps)
    untold = found.status == policy.PENDING and found.version == changes.FIRST
    told = {} if untold else await states.states_for_requests(tx, [found.id], now)
    return {
        "steps": (await own.steps_view(tx, kit, [found.id]))[found.id] if said else own.awaited(steps),
        "sync": told.get(found.id, []),
        "corrections": (await changes.corrections_of(tx, kit, [found]))[found.id],
    }


async def _why_not_approve(
    tx: AsyncSession, found: RoleRequest, account: Account, old: Role | None
) -> Refusal | None:
    if found.status != policy.PENDING:
        return None
    move, catalogue = movements.of(found), await in_force(tx)
    try:
        await holding.ensure(tx, catalogue, account.id, old, move, found.position)
    except Conflict as refusal:
        return refusal
    return await vouching.why_not_approve(tx, found, account)


async def _agreement(
    tx: AsyncSession, catalogue: Catalogue, found: RoleRequest, old: Role | None, steps: list[RequestStep]
) -> dict[str, Any]:
    """How many people have to say yes, how many have, and which two posts do not go together."""
    return {
        "needs": await holding.needs(tx, catalogue, found, old),
        "given": second.given(step.decision for step in steps if step.duty != policy.RELEASE),
        "conflict": await _conflict(tx, catalogue, found, old) if found.status in policy.OPEN else None,
    }


async def _conflict(
    tx: AsyncSession, catalogue: Catalogue, found: RoleRequest, old: Role | None
) -> tuple[Label, Label] | None:
    move = movements.of(found)
    rule = await holding.conflict(tx, catalogue, found.account_id, old, move, found.position)
    if rule is None:
        return None
    one, other = rule.positions
    return catalogue.position_label(one), catalogue.position_label(other)


def _wished(
    kit: Kit,
    catalogue: Catalogue,
    found: RoleRequest,
    steps: list[RequestStep],
    units: dict[UUID, Unit],
) -> dict[str, Any]:
    """What the request's own row says, in words and by code."""
    return {
        "id": found.id,
        "kind": found.kind,
        "movement": movements.of(found).code,
        "movement_words": catalogue.movement_label(movements.of(found).code),
        "status": found.status,
        "version": found.version,
        "unit": units[found.unit_id].name,
        "unit_code": units[found.unit_id].code,
        "from_unit": _released(steps, units),
        "subject_type": catalogue.subject_label(found.subject_type),
        "subject_code": found.subject_type,
        "position": catalogue.position_label(found.position),
        "position_code": found.position,
        "fields": _fields(kit, catalogue, found),
        "papers": {name: value for name, value in drafts.asked_fields(kit, found).items() if name in PAPERS},
        "note": kit.keys.open("role_requests.note", found.id, found.note) if found.note else None,
        "effective_on": found.effective_on,
        "until_on": found.until_on,
        "created_at": found.created_at,
        "decided_at": found.decided_at,
        "denied": found.denied_at is not None,
        "kept_reason": kit.keys.open("role_requests.kept_reason", found.id, found.kept_reason)
        if found.kept_reason
        else None,
    }


async def _applicant(tx: AsyncSession, kit: Kit, account: Account) -> Applicant:
    number = masked((await numbers.personal(tx, kit, [account.id])).get(account.id, ""))
    return Applicant(_name(kit, account), number, account.assurance_scheme, account.assurance_level)


def _name(kit: Kit, account: Account) -> str:
    return kit.keys.open("accounts.full_name", account.id, account.full_name)


def _released(steps: list[RequestStep], units: dict[UUID, Unit]) -> str | None:
    return next((units[step.unit_id].name for step in steps if step.duty == policy.RELEASE), None)


async def _lenders(
    tx: AsyncSession, kit: Kit, who: Authority, standing: Standing
) -> dict[str, tuple[str, date]]:
    """By the duty: whose delegate the reader is in it, and to which day."""
    by_id = {lent.id: lent for lent in who.lent}
    lent = {duty: by_id[one] for duty, one in standing.lent.items()}
    names = await full_names(tx, kit, (one.by for one in lent.values())) if lent else {}
    return {duty: (names[one.by], one.until_on) for duty, one in lent.items()}


def _why(
    standing: Standing,
    steps: list[RequestStep],
    units: dict[UUID, Unit],
    lenders: dict[str, tuple[str, date]],
) -> list[Why]:
    theirs = [step for step in steps if step.duty in standing.duties]
    return [
        Why(step.duty, units[step.unit_id].name, *lenders.get(step.duty, (None, None))) for step in theirs
    ]


def _fields(kit: Kit, catalogue: Catalogue, found: RoleRequest) -> list[FieldView]:
    """The filled fields in the order of the form, choices by their words."""
    kinds = catalogue.subject_types
    kind = movements.of(found).form or kinds.get(found.subject_type)
    values = drafts.asked_fields(kit, found)
    shown = []
    for field in movements.with_papers(kind).fields if kind else ():
        if value := values.get(field.name):
            words = {option.value: option.words for option in field.options}
            if field.type is FieldType.DATE:
                value = _day(value)
            shown.append(FieldView(field.words, words.get(value, value)))
    return shown


def _day(value: str) -> str:
    """A day as it is written here; what was filled in while the field was of another type, as it stands."""
    try:
        return f"{date.fromisoformat(value):%d/%m/%Y}"
    except ValueError:
        return value


def _undo_until(
    kit: Kit, found: RoleRequest, steps: list[RequestStep], reader: UUID, now: datetime
) -> datetime | None:
    """Until when the reader may take back their own last word; nothing when it is too late."""
    said = [step.at for step in steps if step.by == reader and step.at is not None]
    if not said or found.status == policy.WITHDRAWN or not movements.of(found).is_held:
        return None
    if found.status != policy.PENDING and found.decided_by != reader:
        return None
    until = max(said) + timedelta(seconds=kit.limits.undo_window)
    return until if now < until else None


async def _is_unproved(tx: AsyncSession, kit: Kit, found: RoleRequest) -> bool:
    """Whether nobody but the applicant says that the official address is theirs; a system may know it as another's."""
    gives = movements.of(found).gives
    address = drafts.asked_fields(kit, found).get("official_email") if gives else None
    return address is not None and not await staff.gives(tx, kit, found.account_id, address)
