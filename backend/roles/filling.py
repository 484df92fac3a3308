"""The first filling of a province: the people of a file get their home roles at once (case O15).

The province's own decision grants the roles and is their evidence: its number stands in the journal with whoever ran
the command, under the run that every role names as what began it. So nobody is asked for VNeID at this moment (R30).
Whoever has no account gets one as `accounts import` opens it: `imported`, of level 1, with which nobody can do
anything before its owner has come by VNeID. An account that somebody else may sit in gets no role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import called
from backend.accounts.identity.numbers import OLD_ID, kind_of
from backend.accounts.opening import AccountRow, open_all, sealed_rows
from backend.db import Database, new_id, one_after_another
from backend.facts import RoleBegun, RolesFilled
from backend.imports import words
from backend.imports.plan import Plan, Progress, in_order
from backend.imports.rows import Record, RowError
from backend.kit import Kit
from backend.names import masked
from backend.outbox import queue as outbox
from backend.outbox.models import System
from backend.outside.clock import local_day
from backend.roles import draft as drafts
from backend.roles import policy, rows, staff
from backend.roles.catalogue.in_force import hold_catalogue, in_force, shipped
from backend.roles.eligible import Holder, addresses_of, holders_of, why_not
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.scope import in_scope, scope_of
from backend.roles.staff_import import StaffImport
from backend.roles.staff_rows import CHANGING, COLUMNS, NEEDED, StaffPerson, StaffRow, checked, person_of
from backend.support import notices

CHUNK = 200  # people in one transaction, each with everything of theirs
WHOLE = ("national_id", *NEEDED, "subject_type", "position")


class FillingPlan(Plan, kw_only=True):
    """What becomes of the directory, and of the roles."""

    roles: int = 0
    accounts: int = 0
    held: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.roles or self.created or self.needs_yes)

    def summary(self) -> str:
        """The counts in one line."""
        return (
            f"{Plan.summary(self)}; {self.roles} home roles granted, {self.accounts} accounts opened for them, "
            f"{self.held} roles unchanged"
        )


class Post(NamedTuple):
    """One person of the directory who gets the role that stands there."""

    record: StaffRecord
    person: StaffPerson
    account: Account | None


class Filling:
    """A file of staff that is granted as roles; the directory learns it first, in one transaction."""

    things, columns, required = "people", COLUMNS, WHOLE

    def __init__(self, kit: Kit, now: datetime, *, decision: str, complete: bool = False) -> None:
        self._kit, self._now, self._decision = kit, now, decision
        self._directory = StaffImport(kit, now, complete=complete)
        self._is_listed = False  # the directory says already what the file says
        self._catalogue = shipped()
        self._wanted: list[str] = []  # personal numbers of those who get a role
        self.run = new_id()

    async def plan(self, tx: AsyncSession, rows: Sequence[Record]) -> FillingPlan:
        """What the rows would change in the directory, and who would get a role."""
        listed = await self._directory.plan(tx, rows)
        self._is_listed, self._wanted, self._catalogue = listed.is_empty, [], await in_force(tx)
        plan = FillingPlan(**{name: getattr(listed, name) for name in Plan.__struct_fields__})
        today = local_day(self._now)
        for start in range(0, len(rows), CHUNK):
            wrong: list[RowError] = []  # said by the directory already
            part = [checked(record, wrong, self._catalogue, today) for record in rows[start : start + CHUNK]]
            holders = await holders_of(tx, self._kit, [row.number for row in part if row.number])
            mails = [row.given.get("official_email", "") for row in part]
            taken = await addresses_of(tx, self._kit, mails)
            said = {(error.line, error.column) for error in wrong}
            for row in part:
                missing = [name for name in ("subject_type", "position") if not row.given.get(name)]
                plan.errors += [
                    RowError(row.line, name, "required") for name in missing if (row.line, name) not in said
                ]
                self._judge(plan, row, holders.get(row.number), taken)
        plan.errors = in_order(plan.errors)
        return plan

    def prepare(self) -> None:
        """Seal what the directory will hold."""
        self._directory.prepare()

    async def act(self, tx: AsyncSession, *, by: UUID | None, progress: Progress) -> None:
        """Bring the directory up to the file; raises PlanStale."""
        if not self._is_listed:
            await self._directory.act(tx, by=by, progress=progress)

    async def go_on(self, db: Database, *, by: UUID | None, progress: Progress) -> str:
        """Grant the roles, chunk by chunk; run again, it goes on with whoever has none."""
        every, given = len(self._wanted), 0
        for start in range(0, every, CHUNK):
            part = self._wanted[start : start + CHUNK]
            async with db.write() as tx:
                given += await self._grant(tx, part, by)
            progress(start + len(part), every)
        left = every - given
        return f"{left} people were changed meanwhile and got no role: run it again" if left else ""

    def _judge(
        self, plan: FillingPlan, row: StaffRow, holder: Holder | None, taken: Mapping[str, set[UUID]]
    ) -> None:
        if row.number and kind_of(row.number) == OLD_ID:  # a role wants a number that every rule can ask for
            plan.errors.append(RowError(row.line, "national_id", "bad_national_id"))
            return
        mail = row.given.get("official_email", "")
        others = taken.get(mail, set()) - ({holder.account.id} if holder else set())
        if others:
            plan.errors.append(RowError(row.line, "official_email", "address_in_role"))
        if holder is None:
            plan.accounts += 1
        elif why := self._why_not(holder, row):
            plan.errors.append(RowError(row.line, "national_id", why))
        elif holder.home is not None or holder.has_open:
            plan.held += 1
            self._tell_held(plan, row, holder)
            return
        plan.errors += [RowError(row.line, name, "post_closed") for name in self._shut(row.given)]
        plan.roles += 1
        self._wanted.append(row.number)

    def _why_not(self, holder: Holder, row: StaffRow) -> str:
        given = row.given
        person = StaffPerson(row.number, given.get("full_name", ""), given.get("birth_date", ""))
        return why_not(self._kit, self._catalogue, holder, person, given.get("subject_type", ""))

    def _shut(self, post: Mapping[str, str]) -> list[str]:
        codes = post.get("subject_type", ""), post.get("position", "")
        return self._catalogue.shut(*codes, local_day(self._now))

    def _tell_held(self, plan: FillingPlan, row: StaffRow, holder: Holder) -> None:
        who, unit = {"line": row.line, "who": masked(row.number)}, row.given.get("unit_code")
        if holder.home is None:
            plan.notes.append(words.noted("has_open_request", **who))
        elif holder.home != unit:
            plan.notes.append(words.noted("has_home_elsewhere", **who, home=holder.home, unit=unit))

    async def _grant(self, tx: AsyncSession, numbers: Sequence[str], by: UUID | None) -> int:
        """The roles of a chunk of people and all that follows, in one transaction; how many."""
        await rows.tree_stands(tx)  # before the directory, as a reorganisation asks for both
        await one_after_another(tx, CHANGING)
        posts = await self._posts(tx, numbers)
        self._catalogue = await hold_catalogue(tx)
        units = await _living(tx, {post.record.unit_id for post in posts}, self._now)
        posts = [post for post in posts if post.record.unit_id in units and self._takes(post.record)]
        if not posts:
            return 0
        opened = {
            post.record.id: sealed_rows(self._kit, _account_row(post.person), self._now)
            for post in posts
            if post.account is None
        }
        await open_all(tx, self._kit, list(opened.values()), by=by, now=self._now)
        owners = {
            post.record.id: post.account.id if post.account else opened[post.record.id].account["id"]
            for post in posts
        }
        begun = [self._role_row(post, owners[post.record.id]) for post in posts]
        await tx.execute(insert(Role), begun)
        await called.make_findable(tx, self._kit, [role["account_id"] for role in begun])
        filled = RolesFilled(run=self.run, decision=self._decision, count=len(begun))
        self._kit.journal.record(tx, filled, by=by, now=self._now)
        for role in begun:
            fact = RoleBegun(subject=role["account_id"], role=role["id"], unit=role["unit_id"])
            self._kit.journal.record(tx, fact, by=by, now=self._now)
        await self._tell(tx, begun, units)
        return len(begun)

    def _takes(self, record: StaffRecord) -> bool:
        """Whether the post is still one that is given: the catalogue may have changed since the plan."""
        kinds, codes = self._catalogue.subject_types, {"subject_type": record.subject_type}
        return record.subject_type in kinds and not self._shut(codes | {"position": record.position})

    async def _posts(self, tx: AsyncSession, numbers: Sequence[str]) -> list[Post]:
        """Of these people who may still get the role; their accounts are held until the commit."""
        holders = await holders_of(tx, self._kit, numbers)
        await rows.accounts_locked(tx, [holder.account.id for holder in holders.values()])
        holders = await holders_of(tx, self._kit, numbers)  # as they are now that nobody else changes them
        blinds = [blind for number in numbers for blind in self._kit.keys.blinds("national_id", number)]
        listed = select(StaffRecord).where(
            StaffRecord.national_id_blind.in_(blinds), StaffRecord.left_at.is_(None)
        )
        records = [(record, person_of(self._kit, record)) for record in await tx.scalars(listed)]
        taken = await addresses_of(tx, self._kit, [person.official_email for _, person in records])
        posts = []
        for record, person in records:
            holder = holders.get(person.national_id)
            account = holder.account if holder else None
            others = taken.get(person.official_email, set()) - ({account.id} if account else set())
            is_free = holder is None or not (
                holder.home
                or holder.has_open
                or why_not(self._kit, self._catalogue, holder, person, record.subject_type)
            )
            if is_free and not others and record.subject_type and record.position:
                posts.append(Post(record, person, account))
        return posts

    def _role_row(self, post: Post, account_id: UUID) -> dict[str, Any]:
        record, role_id, keys = post.record, new_id(), self._kit.keys
        asked = self._catalogue.subject_types[record.subject_type].form(local_day(self._now))
        known = staff.form_values(post.person)
        values = {field.name: value for field in asked if (value := known.get(field.name))}
        mail, code = values.get("official_email"), values.get("employee_code")
        return {
            "id": role_id,
            "account_id": account_id,
            "unit_id": record.unit_id,
            "subject_type": record.subject_type,
            "position": record.position,
            "fields": drafts.seal_fields(self._kit, "roles.fields", role_id, values),
            "email_blind": keys.blind("official_email", mail) if mail else None,
            "code_blind": keys.blind("employee_code", code) if code else None,
            "state": policy.ACTIVE,
            "is_home": True,
            "from_on": local_day(self._now),
            "request_id": self.run,
            "began_at": self._now,
        }

    async def _tell(
        self, tx: AsyncSession, begun: Sequence[dict[str, Any]], units: Mapping[UUID, Unit]
    ) -> None:
        """Every system that serves their units, after everything more urgent; and the people themselves."""
        versions = await _bumped(tx, [role["account_id"] for role in begun])
        for system in (await tx.scalars(select(System).where(System.disabled_at.is_(None)))).all():
            scope = await scope_of(tx, system)
            people = [
                (role["account_id"], versions[role["account_id"]])
                for role in begun
                if in_scope(units[role["unit_id"]].path, scope)
            ]
            await outbox.backfill(tx, system.id, people, now=self._now)
        for role in begun:
            notices.tell(
                tx,
                self._kit,
                role["account_id"],
                "role_changed",
                now=self._now,
                unit=units[role["unit_id"]].name,
                change="begun",
            )


async def _living(tx: AsyncSession, ids: set[UUID], now: datetime) -> dict[UUID, Unit]:
    """Of these units those that have not ended."""
    today = local_day(now)
    found = (await tx.scalars(select(Unit).where(Unit.id.in_(ids)))).all()
    return {unit.id: unit for unit in found if unit.ended_on is None or unit.ended_on > today}


async def _bumped(tx: AsyncSession, accounts: Sequence[UUID]) -> dict[UUID, int]:
    """The next version of everybody's roles."""
    query = (
        update(Account)
        .where(Account.id.in_(accounts))
        .values(version=Account.version + 1, role_version=Account.role_version + 1)
        .returning(Account.id, Account.role_version)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.role_version for row in await tx.execute(query)}


def _account_row(person: StaffPerson) -> AccountRow:
    """A directory's phone is an office's as often as the person's own: it opens no account."""
    return AccountRow(0, person.national_id, person.full_name, person.birth_date, None, None)
