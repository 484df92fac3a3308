"""What a reorganisation would do, said before it is done, with the state of things that it was made on (rule 640)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import MANAGER, Appointment
from backend.errors import Conflict
from backend.imports.plan import Stake, in_order, massive
from backend.imports.rows import ImportRefused, Record, RowError
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import policy, unit_tree
from backend.roles.models import Role, Unit
from backend.roles.reorganising import acts as acting
from backend.roles.reorganising import models, shares, tree_after
from backend.roles.reorganising.acts import Act
from backend.roles.reorganising.models import Moved, Reorganisation
from backend.roles.unit_rows import ROOT
from backend.roles.unit_tree import Tree

CHUNK = 500
State = dict[str, dict[str, str]]  # by code of a unit and by what is looked at: a print of it


class PlanOutdated(Conflict):
    """Something that the plan was made of has changed since: `changed` names it."""

    code = "plan_stale"
    title = "Đơn vị, vai trò hoặc người phụ trách đã thay đổi sau khi lập phương án, hãy lập lại"

    def __init__(self, names: list[str]) -> None:
        super().__init__(changed=names)
        self.names = names


class PeopleRefused(ImportRefused):
    """What is wrong is in the file of people; or, as `split_forgets` says, is missing there."""


class Wanted(msgspec.Struct, frozen=True):
    """The plan as it is kept in a file and with the run: units and roles, and nobody's name or number."""

    acts: list[Act]
    roles: dict[UUID, str]  # of a split: to which unit each role goes
    records: dict[UUID, str]  # and each row of the staff directory
    state: State
    format: int = 1

    @property
    def on(self) -> date:
        """The first day on which all of it is so."""
        return max(act.on for act in self.acts)

    def target_of(self, code: str, row: UUID) -> str:
        """Where a role or a record of a unit goes; whoever came to a split unit since, to its first part."""
        for act in self.acts:
            if act.unit == code and act.action in acting.CLOSING:
                if act.action == acting.SPLIT:
                    return self.roles.get(row) or self.records.get(row) or act.target
                return act.target
        return code


class Going(msgspec.Struct, frozen=True):
    """One role that goes to another unit."""

    role: UUID
    account: UUID
    source: str
    target: str


class Plan(msgspec.Struct):
    """What is to be done, and what follows from it."""

    wanted: Wanted
    known: Tree
    after: Tree
    going: list[Going]
    records: int  # rows of the staff directory that go along
    existing: int  # people who have a role
    roots: list[Stake] = []  # of every organisation that people leave a unit of: how many go, of how many

    @property
    def people(self) -> int:
        """How many people go to another unit."""
        return len({one.account for one in self.going})

    def massive(self, percent: int) -> Stake | None:
        """Whether more people go, of all or of one organisation, than a slip of the hand should be able to move."""
        return massive([Stake(self.people, self.existing), *self.roots], percent)

    def counts(self) -> list[tuple[str, int, int]]:
        """By code of every unit concerned: how many people it gains and loses."""
        gains: dict[str, set[UUID]] = {}
        loses: dict[str, set[UUID]] = {}
        for one in self.going:
            gains.setdefault(one.target, set()).add(one.account)
            loses.setdefault(one.source, set()).add(one.account)
        codes = sorted(concerned(self.wanted.acts))
        return [(code, len(gains.get(code, ())), len(loses.get(code, ()))) for code in codes]


async def make(
    tx: AsyncSession, kit: Kit, rows: Sequence[Record], people: Sequence[Record], *, now: datetime
) -> Plan:
    """Read both files against what is stored; raises ImportRefused with every bad row."""
    errors: list[RowError] = []
    today, known = local_day(now), await unit_tree.snapshot(tx)
    acts = acting.read(rows, errors, today)
    errors += [] if errors else acting.against(acts, known, today)
    if not errors and acts:
        errors += tree_after.circles(acts, tree_after.finished(acts, known, today))
    if errors or not acts:
        raise ImportRefused(in_order(errors) or [RowError(0, "", "file_empty")])
    roles, records = await shares.read(tx, kit, people, acts, known, errors)
    if errors:
        raise PeopleRefused(in_order(errors))
    wanted = Wanted(acts, roles, records, await state_of(tx, acts, known))
    return await outlook(tx, wanted, known, now=now)


async def outlook(tx: AsyncSession, wanted: Wanted, known: Tree, *, now: datetime) -> Plan:
    """What follows from it as things are now."""
    after = tree_after.placed(tree_after.finished(wanted.acts, known, local_day(now)))
    codes = {known[code].id: code for code in sources(wanted.acts)}
    query = select(Role.id, Role.account_id, Role.unit_id).where(Role.state.in_(policy.HELD))
    going = []
    for part in _parts(sorted(codes)):
        for row in await tx.execute(query.where(Role.unit_id.in_(part))):
            source = codes[row.unit_id]
            if (target := wanted.target_of(source, row.id)) != source:
                going.append(Going(row.id, row.account_id, source, target))
    listed = await shares.listed(tx, codes)
    return Plan(wanted, known, after, going, listed, await people_held(tx), await _roots(tx, known, going))


async def stakes_back(tx: AsyncSession, run_id: UUID, people: int, acts: Sequence[Act]) -> list[Stake]:
    """Of a reorganisation that is taken back: how many people go, of all and of each organisation that they leave."""
    known = await unit_tree.snapshot(tx)
    roots = {unit_tree.root_of(known[code].path) for code in concerned(acts) if code in known}
    found = [Stake(people, await people_held(tx))]
    for root in sorted(roots):
        going = await _going_back(tx, run_id, root)
        found += [Stake(going, await people_held(tx, root))] if going else []
    return found


async def _going_back(tx: AsyncSession, run_id: UUID, root: str) -> int:
    there = and_(Role.id == func.coalesce(Moved.new_id, Moved.row_id), Role.state.in_(policy.HELD))
    query = select(func.count(func.distinct(Role.account_id))).select_from(Moved).join(Role, there)
    query = query.join(Unit, Unit.id == Role.unit_id).where(Unit.path.startswith(root))
    moved = Moved.kind.in_((models.ROLE, models.PLANNED))
    return await tx.scalar(query.where(Moved.run_id == run_id, moved, Moved.back_at.is_(None))) or 0


async def people_held(tx: AsyncSession, below: str | None = None) -> int:
    """How many people have a role, anywhere or at or below the unit of this path."""
    held = select(func.count(func.distinct(Role.account_id))).where(Role.state.in_(policy.HELD))
    if below is not None:
        held = held.join(Unit, Unit.id == Role.unit_id).where(Unit.path.startswith(below))
    return await tx.scalar(held) or 0


async def _roots(tx: AsyncSession, known: Tree, going: Sequence[Going]) -> list[Stake]:
    leaving: dict[str, set[UUID]] = {}
    for one in going:
        leaving.setdefault(unit_tree.root_of(known[one.source].path), set()).add(one.account)
    return [Stake(len(people), await people_held(tx, root)) for root, people in sorted(leaving.items())]


def sources(acts: Sequence[Act]) -> set[str]:
    """The units that people leave."""
    return {act.unit for act in acts if act.action in acting.CLOSING}


def concerned(acts: Sequence[Act]) -> set[str]:
    """Every unit that the file names."""
    named = {code for act in acts for code in (act.unit, act.target, act.parent)}
    return named - {"", ROOT}


async def state_of(tx: AsyncSession, acts: Sequence[Act], known: Tree) -> State:
    """What the plan is made of: the units with their managers, and the roles that go."""
    state: State = {code: {"unit": _print(known[code])} for code in concerned(acts) if code in known}
    leaving = {known[code].id: code for code in sources(acts) if code in known}
    roles: dict[str, list[object]] = {code: [] for code in leaving.values()}
    query = select(Role.unit_id, Role.id, Role.state, Role.account_id, Role.position, Role.until_on)
    for part in _parts(sorted(leaving)):
        held = query.where(Role.unit_id.in_(part), Role.state.in_(policy.HELD)).order_by(Role.id)
        for row in await tx.execute(held):
            roles[leaving[row[0]]].append(tuple(row[1:]))
    rights: dict[str, list[object]] = {code: [] for code in state}
    by_id = {known[code].id: code for code in state}
    for part in _parts(sorted(by_id)):
        there = (Appointment.unit_id.in_(part), Appointment.stands(MANAGER))
        days = select(Appointment.unit_id, Appointment.id, Appointment.from_on, Appointment.until_on)
        for unit, *rest in (await tx.execute(days.where(*there).order_by(Appointment.id))).all():
            if unit is not None:
                rights[by_id[unit]].append(rest)
    for code, found in roles.items():
        state[code]["roles"] = _print(found)
    for code, found in rights.items():
        state[code]["managers"] = _print(found)
    return state


async def ensure_current(tx: AsyncSession, wanted: Wanted, known: Tree) -> None:
    """Raises PlanOutdated, which names what has changed since the plan was made, and what is being changed."""
    now = await state_of(tx, wanted.acts, known)
    changed = [f"{code}: run" for code in await under_way(tx, wanted.acts)]
    changed += [f"{code}: unit" for code in _written_in(wanted)]
    changed += [
        f"{code}: {what}"
        for code, prints in sorted(wanted.state.items())
        for what, print_ in sorted(prints.items())
        if now.get(code, {}).get(what) != print_
    ]
    if changed:
        raise PlanOutdated(changed)


def _written_in(wanted: Wanted) -> list[str]:
    """Units that the file of a plan names and the plan was not made of: somebody has written in it since."""
    shares_ = {*wanted.roles.values(), *wanted.records.values()} - {act.target for act in wanted.acts}
    return sorted((concerned(wanted.acts) - wanted.state.keys()) | shares_)


async def under_way(tx: AsyncSession, acts: Sequence[Act], *, but: UUID | None = None) -> list[str]:
    """Those units of the acts that another reorganisation is about which has begun and is not over."""
    return sorted(await busy(tx, but=but) & concerned(acts))


async def busy(tx: AsyncSession, *, but: UUID | None = None) -> set[str]:
    """The codes of every unit that a reorganisation is about which has begun and is not over."""
    others = select(Reorganisation.plan).where(Reorganisation.state.in_((models.RUNNING, models.REVERSING)))
    plans = await tx.scalars(others if but is None else others.where(Reorganisation.id != but))
    return {code for text in plans for code in concerned(msgspec.json.decode(text, type=Wanted).acts)}


def _print(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]


def _parts(ids: Sequence[UUID]) -> list[Collection[UUID]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
