"""Reorganisations as an operator makes them: a file becomes a plan, and a plan a run (rules 640, 641)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict, FieldsInvalid, Refusal
from backend.imports.rows import ImportRefused, Record
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock, local_day
from backend.roles import operating, unit_tree, uploads
from backend.roles.reorganising import acts, asking, listing, shares, told, trees
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising.asking import Yes
from backend.roles.reorganising.models import Reorganisation
from backend.roles.reorganising.plan import PeopleRefused, Plan, PlanOutdated, Wanted
from backend.roles.reorganising.told import AtSystem, Concerns
from backend.roles.reorganising.trees import Node
from workspace import files, forms, fresh
from workspace.auth import Visit
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import errors_of, page

PLACE = "/workspace/reorganisations"
NAMED = 50  # people of one move on the page, and of many moves together ten times as many
NAMED_LEAST = 5


class RunForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which decision, and that a large part is meant."""

    decision_number: str = ""
    brake_off: str = ""


class Move(NamedTuple):
    """How many people go from one unit to another, and who the first of them are."""

    source: str
    target: str
    people: int
    names: list[str]


class There(NamedTuple):
    """A system, and who comes there and goes."""

    system: AtSystem
    gains: list[str]
    loses: list[str]


class Outlook(NamedTuple):
    """A plan as the page shows it."""

    plan: Plan
    before: list[Node]
    after: list[Node]
    moves: list[Move]
    systems: list[There]
    concerns: Concerns


class ReorganisationsController(Controller):
    """The list with the form for a file, and the plan that was made of one."""

    path = "/reorganisations"
    opt = {"open_to": Openness.ROOT}

    @get(name="workspace.reorganisations")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """What there was, and a file for what is to be."""
        return await _list(call)

    @post("/plan", name="workspace.reorganisation_plan", upload=True)
    async def plan(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """Read the files and say what they would do; nothing of it is done."""
        try:
            wished, people = await _read(call.request)
            now = call.now()
            async with call.read() as tx:
                made = await asking.plan(tx, call.kit, wished, people, by=call.who.account_id, now=now)
        except (ImportRefused, FieldsInvalid) as refused:
            return await _list(call, refused)
        text = msgspec.json.encode(made.wanted).decode()
        async with call.write() as tx:
            kept = uploads.lay(tx, call.kit, uploads.REORGANISE, text, by=call.who.account_id, now=now)
        return Redirect(f"{PLACE}/plans/{kept}", status_code=303)

    @get("/plans/{plan_id:uuid}", name="workspace.reorganisation_planned")
    async def planned(
        self, call: NamedDependency[Call[Manager]], plan_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Before and after, who goes where, and what each system hears."""
        back = f"{PLACE}/plans/{plan_id}"
        said = await fresh.left(call, RunForm, back=back)
        async with call.read() as tx:
            if await tx.get(Reorganisation, plan_id) is not None:
                await asking.theirs(tx, call.kit, plan_id, by=call.who.account_id, now=call.now())
                return Redirect(f"{PLACE}/{plan_id}", status_code=303)
        return await _plan(call, plan_id, said or RunForm(), kept=said is not None)

    @post("/plans/{plan_id:uuid}/run", name="workspace.reorganisation_run")
    async def run(
        self, call: NamedDependency[Call[Manager]], plan_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """ "Chạy": it is written down and begun; the worker carries it."""
        form, back = await forms.read(call.request, RunForm), f"{PLACE}/plans/{plan_id}"
        if ask := await fresh.wanted(call, form, back=back):
            return ask
        by, now = call.who.account_id, call.now()
        try:
            async with call.write() as tx:
                if await tx.get(Reorganisation, plan_id) is None:
                    wanted = await _wanted(tx, call.kit, plan_id, by=by, clock=call.clock)
                    yes = Yes(form.decision_number, brake_off=bool(form.brake_off))
                    await asking.run(tx, call.kit, wanted, plan_id, yes, by=by, now=now)
                    await uploads.forget(tx, plan_id)
        except (FieldsInvalid, Conflict) as refusal:
            return await _plan(call, plan_id, form, refusal=refusal)
        return Redirect(f"{PLACE}/{plan_id}", status_code=303)


async def _read(request: Visit) -> tuple[list[Record], list[Record]]:
    """The rows of both files. Raises ImportRefused, of the people's PeopleRefused."""
    sent = await files.sent(request, ("file", "people"))
    wished = await files.rows(sent.get("file"), acts.COLUMNS, required=acts.REQUIRED)
    if "people" not in sent:
        return wished, []
    try:
        return wished, await files.rows(sent["people"], shares.COLUMNS, required=shares.REQUIRED)
    except ImportRefused as refused:
        raise PeopleRefused(refused.errors) from refused


async def _list(call: Call[Manager], refused: ImportRefused | FieldsInvalid | None = None) -> Response[str]:
    async with call.read() as tx:
        found = await asking.all_theirs(tx, call.kit, by=call.who.account_id, now=call.now())
    wrong = refused.errors if isinstance(refused, ImportRefused) else []
    answer = page(
        call.request,
        "reorganisations.html",
        refusal=refused if isinstance(refused, FieldsInvalid) else None,
        here=PLACE,
        found=found,
        wrong=files.bad_cells(call.request, wrong),
        of_people=isinstance(refused, PeopleRefused),
        count=len(wrong),
        most=call.kit.limits.upload_bytes >> 20,
        errors=errors_of(refused) if isinstance(refused, FieldsInvalid) else [],
    )
    if wrong:
        answer.status_code = 422
    return answer


async def _wanted(tx: AsyncSession, kit: Kit, plan_id: UUID, *, by: UUID, clock: Clock) -> Wanted:
    text, _ = await uploads.read(tx, kit, plan_id, uploads.REORGANISE, by=by, now=clock.now())
    return msgspec.json.decode(text, type=Wanted)


async def _plan(
    call: Call[Manager], plan_id: UUID, said: RunForm, *, refusal: Refusal | None = None, kept: bool = False
) -> Response[str]:
    """The plan as things are now; where they have changed since it was made, that alone."""
    seen: Outlook | None = None
    async with call.read() as tx:
        wanted = await _wanted(tx, call.kit, plan_id, by=call.who.account_id, clock=call.clock)
        try:
            seen = await _outlook(tx, call.kit, wanted, call.clock, by=call.who.account_id)
        except PlanOutdated as outdated:
            refusal = outdated
    percent, today = call.kit.limits.mass_change_percent, local_day(call.now())
    return page(
        call.request,
        "reorganisation_plan.html",
        refusal=refusal,
        here=f"{PLACE}/plans/{plan_id}",
        wanted=wanted,
        seen=seen,
        stale=[name.partition(": ") for name in refusal.names] if isinstance(refusal, PlanOutdated) else [],
        is_early=wanted.on > today,
        is_late=wanted.on < today,
        massive=seen.plan.massive(percent) if seen is not None else None,
        percent=percent,
        said=said,
        kept=kept,
        errors=errors_of(refusal),
    )


async def _outlook(tx: AsyncSession, kit: Kit, wanted: Wanted, clock: Clock, *, by: UUID) -> Outlook:
    """Raises PlanOutdated."""
    await operating.reach_of(tx, kit, by, now=clock.now())
    known = await unit_tree.snapshot(tx)
    await planning.ensure_current(tx, wanted, known)
    plan = await planning.outlook(tx, wanted, known, now=clock.now())
    before, after = trees.before_and_after(plan)
    ways: dict[tuple[str, str], list[UUID]] = {}
    for one in plan.going:
        ways.setdefault((one.source, one.target), []).append(one.account)
    each = min(NAMED, max(NAMED_LEAST, NAMED * 10 // max(1, len(ways))))
    moves = [
        Move(*way, len(set(people)), await listing.names(tx, kit, sorted(set(people))[:each]))
        for way, people in sorted(ways.items())
    ]
    systems = [
        There(
            one,
            await listing.names(tx, kit, sorted(one.gains)[:NAMED]),
            await listing.names(tx, kit, sorted(one.loses)[:NAMED]),
        )
        for one in await told.at_systems(tx, plan)
    ]
    return Outlook(plan, before, after, moves, systems, await told.concerns(tx, plan))
