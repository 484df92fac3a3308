"""The first filling of a province: people and their home roles from one file, by one decision (O15)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import func, select, text, update

from backend.account import Account
from backend.accounts.identity.evidence import of_person
from backend.accounts.identity.finding import decided, find
from backend.accounts.identity.joining import Answer, Verdict
from backend.accounts.identity.numbers import holder_of
from backend.accounts.importing import AccountsImport
from backend.accounts.models import Identifier, Phone
from backend.facts import RolesFilled
from backend.imports.rows import RowError, records
from backend.journal import Entry
from backend.outbox.models import Delivery
from backend.outside.eid.eid_claims import Person
from backend.roles import filling
from backend.roles.draft import seal_fields
from backend.roles.eligible import CLOSED, STRANGER, UNPROVED
from backend.roles.filling import Filling, FillingPlan
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.owed import owed
from tests.backend.roles.test_staff import GOOD
from tests.backend.roles.world import World

DECISION = "125/QĐ-UBND"
BINH = GOOD | {
    "national_id": "000000000001",
    "full_name": "Bình",
    "employee_code": "CC-2",
    "official_email": "binh@hue.example",
}
NEW = GOOD | {
    "national_id": "000090000001",
    "full_name": "Trần Thị Mới",
    "birth_date": "1991",
    "unit_code": "TC",
    "employee_code": "CC-9",
    "official_email": "moi@hue.example",
}


def newcomer(number: int) -> dict[str, str]:
    return NEW | {
        "national_id": f"{90_000_100 + number:012}",
        "full_name": f"Người {number}",
        "official_email": f"n{number}@hue.example",
    }


async def planned(world: World, *rows: dict[str, str]) -> tuple[Filling, FillingPlan]:
    job = Filling(world.kit, world.now, decision=DECISION)
    async with world.db.read() as tx:
        return job, await job.plan(tx, records(rows))


async def listed(world: World, job: Filling) -> None:
    job.prepare()
    async with world.db.write() as tx:
        await job.act(tx, by=None, progress=lambda _done, _all: None)


async def fill(world: World, *rows: dict[str, str]) -> FillingPlan:
    job, plan = await planned(world, *rows)
    assert plan.errors == []
    await listed(world, job)
    assert await job.go_on(world.db, by=None, progress=lambda _done, _all: None) == ""
    return plan


async def account_of(world: World, number: str) -> Account:
    async with world.db.read() as tx:
        held = await holder_of(tx, world.kit, number)
        assert held is not None
        return await tx.get_one(Account, held)


async def roles_of(world: World, account_id: UUID) -> list[Role]:
    async with world.db.read() as tx:
        return list(await tx.scalars(select(Role).where(Role.account_id == account_id)))


async def granted(world: World) -> int:
    async with world.db.read() as tx:
        return await tx.scalar(select(func.count()).select_from(Role)) or 0


async def facts(world: World, tag: str) -> list[str]:
    async with world.db.read() as tx:
        return list(await tx.scalars(select(Entry.fact).where(Entry.tag == tag).order_by(Entry.seq)))


async def test_o15_a_file_gives_its_people_their_home_roles_by_one_act_of_the_journal(world: World) -> None:
    plan = await fill(world, GOOD, BINH, NEW)
    assert (plan.created, plan.roles, plan.accounts, plan.held) == (3, 3, 1, 0)
    assert not plan.needs_yes and not plan.is_empty
    (role,) = await world.roles("An")
    assert (role.state, role.is_home, role.from_on, role.unit_id) == (
        "active",
        True,
        world.today,
        world.units["NV"],
    )
    assert (role.subject_type, role.position) == ("cong_chuc", "chuyen_vien")
    assert world.fields(role) == {"employee_code": "CC-1", "official_email": "an@hue.example"}
    (filled,) = await facts(world, "roles.filled")
    act = msgspec.json.decode(filled, type=RolesFilled)
    assert (act.decision, act.count, act.run) == (DECISION, 3, role.request_id)
    assert "000090000001" not in filled and "An" not in filled
    assert await world.told("An") != []
    async with world.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(StaffRecord)) == 3


async def test_o15_every_role_of_a_filling_has_its_entry_and_without_it_verify_finds_it(world: World) -> None:
    await fill(world, GOOD, NEW)
    assert len(await facts(world, "role.begun")) == 2
    async with world.db.read() as tx:
        assert (await world.kit.journal.verify(tx, witness=await owed(tx)))[1] is None
        witness = await owed(tx)
        for entry in await tx.scalars(select(Entry).where(Entry.tag != "role.begun")):
            if entry.tag in witness.tags:
                witness.hear(entry)
        assert "role without entry" in (witness.trouble() or "")


async def test_o15_who_has_no_account_gets_an_unproved_one_for_which_the_role_waits(world: World) -> None:
    await fill(world, NEW)
    account = await account_of(world, NEW["national_id"])
    assert (account.vouched_by, account.assurance_level, account.is_owned) == ("imported", 1, False)
    (role,) = await roles_of(world, account.id)
    assert (role.state, role.unit_id, account.role_version) == ("active", world.units["TC"], 1)
    async with world.db.read() as tx:
        assert await tx.scalar(select(Phone.id).limit(1)) is None, "an office's phone opens no account"


async def test_o15_the_owners_first_vneid_sign_in_joins_the_account_that_waits(world: World) -> None:
    await fill(world, NEW)
    account = await account_of(world, NEW["national_id"])
    person = Person("vneid", "sub-1", NEW["national_id"], NEW["full_name"], "1991-03-04", None, level=2)
    async with world.db.read() as tx:
        evidence = of_person(person, "vneid")
        match = await find(tx, world.kit, evidence, hold=False)
        assert match is not None and match.account.id == account.id
        assert decided(evidence, match) == Answer(Verdict.JOIN, ends=True)


async def test_o15_an_account_that_was_imported_before_gets_the_role_and_stays_unproved(world: World) -> None:
    job = AccountsImport(world.kit, world.now, invented=True)
    row = {name: NEW[name] for name in ("national_id", "full_name", "birth_date")}
    await job.bring_in(world.db, records([row]), by=None, progress=lambda _: None)
    plan = await fill(world, NEW)
    assert (plan.roles, plan.accounts) == (1, 0)
    account = await account_of(world, NEW["national_id"])
    assert account.vneid_at is None and len(await roles_of(world, account.id)) == 1


async def test_o15_an_account_that_somebody_else_may_sit_in_gets_no_role(world: World) -> None:
    async with world.db.write() as tx:
        mine = Account.id == world.people["An"]
        await tx.execute(update(Account).where(mine).values(vneid_at=None, vouched_by="social_insurance"))
    _, plan = await planned(world, GOOD)
    assert plan.errors == [RowError(2, "national_id", UNPROVED)]
    async with world.db.write() as tx:
        await tx.execute(update(Account).where(mine).values(vneid_at=world.now, vouched_by="vneid"))
    for other in ({"full_name": "Ân"}, {"birth_date": "1990-01-03"}):
        assert (await planned(world, GOOD | other))[1].errors == [RowError(2, "national_id", STRANGER)]
    async with world.db.write() as tx:
        await tx.execute(update(Account).where(mine).values(status="closed"))
    assert (await planned(world, GOOD))[1].errors == [RowError(2, "national_id", CLOSED)]


async def test_o15_whoever_has_a_home_role_keeps_it_as_it_is_and_another_unit_is_told(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    plan = await fill(world, GOOD | {"unit_code": "TC"}, BINH)
    assert (plan.roles, plan.held) == (1, 1)
    (note,) = map(str, plan.notes)
    assert "has a home role in NV, not in TC; it stays" in note and GOOD["national_id"] not in note
    (after,) = await world.roles("An")
    assert (after.id, after.unit_id, after.fields) == (role.id, role.unit_id, role.fields)


async def test_o15_an_open_request_is_left_to_whoever_decides_it(world: World) -> None:
    await world.ask("An")
    plan = await fill(world, GOOD)
    assert (plan.roles, plan.held) == (0, 1) and "open request" in plan.notes[0].en
    assert await granted(world) == 0


async def test_o15_a_row_needs_unit_subject_type_and_position(world: World) -> None:
    for name in ("unit_code", "subject_type", "position"):
        _, plan = await planned(world, GOOD | {name: ""})
        assert RowError(2, name, "required") in plan.errors
        assert [error.column for error in plan.errors].count(name) == 1
    _, plan = await planned(world, GOOD | {"position": "x"})
    assert [error.column for error in plan.errors] == ["position"], "said once"
    _, plan = await planned(world, GOOD | {"unit_code": "NOWHERE"})
    assert [error.column for error in plan.errors] == ["unit_code"]


async def test_o15_an_address_of_another_persons_role_makes_the_row_bad(world: World) -> None:
    await world.employ("Bình", "NV", "Chi", fields={"official_email": "an@hue.example"})
    assert (await planned(world, GOOD))[1].errors == [RowError(2, "official_email", "address_in_role")]


async def test_o15_the_systems_that_serve_the_units_are_told_in_the_same_transaction(world: World) -> None:
    nv, tc = await world.system("NV", "NV"), await world.system("TC", "TC")
    before = (await account_of(world, GOOD["national_id"])).role_version
    await fill(world, GOOD, NEW)
    async with world.db.read() as tx:
        told = (await tx.execute(select(Delivery.system_id, Delivery.account_id, Delivery.version))).all()
    new = await account_of(world, NEW["national_id"])
    assert set(told) == {(nv, world.people["An"], before + 1), (tc, new.id, 1)}


async def test_o15_a_filling_that_stopped_goes_on_when_it_is_run_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "CHUNK", 3)
    people = [newcomer(number) for number in range(8)]
    job, _ = await planned(world, *people)
    await listed(world, job)

    class Stopped(Exception):
        pass

    def stop(done: int, _: int) -> None:
        if done == 6:
            raise Stopped

    with pytest.raises(Stopped):
        await job.go_on(world.db, by=None, progress=stop)
    assert await granted(world) == 6
    plan = await fill(world, *people)
    assert (plan.roles, plan.held, plan.created, plan.untouched) == (2, 6, 0, 8)
    assert await granted(world) == 8
    counts = [
        msgspec.json.decode(fact, type=RolesFilled).count for fact in await facts(world, "roles.filled")
    ]
    assert counts == [3, 3, 2]
    assert len(await facts(world, "staff.imported")) == 1, "the second run has nothing to list"
    assert (await fill(world, *people)).is_empty


async def test_o15_a_chunk_that_fails_leaves_nothing_of_its_people(world: World) -> None:
    people = [newcomer(number) for number in range(3)]
    job, _ = await planned(world, *people)
    await listed(world, job)
    async with world.db.write() as tx:
        await tx.execute(text("ALTER TABLE notices RENAME TO notices_away"))
    try:
        with pytest.raises(Exception, match="notices"):
            await job.go_on(world.db, by=None, progress=lambda _done, _all: None)
    finally:
        async with world.db.write() as tx:
            await tx.execute(text("ALTER TABLE notices_away RENAME TO notices"))
    assert await granted(world) == 0
    async with world.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Identifier)) == len(world.people)
    assert await facts(world, "roles.filled") == [] and await facts(world, "accounts.imported") == []


@pytest.mark.parametrize("change", ["role", "unit", "name", "left", "address", "request"])
async def test_o15_what_changed_since_the_plan_gives_no_role(world: World, change: str) -> None:
    job, plan = await planned(world, GOOD)
    assert plan.roles == 1
    await listed(world, job)
    if change == "role":
        await world.employ("An", "TC", "Dũng", fields={})
    elif change == "request":
        await world.ask("An")
    elif change == "address":
        held, mail = await world.employ("Bình", "NV", "Chi"), GOOD["official_email"]
        fields = seal_fields(world.kit, "roles.fields", held.id, {"official_email": mail})
        blind = world.kit.keys.blind("official_email", mail)
        async with world.db.write() as tx:
            await tx.execute(update(Role).values(email_blind=blind, fields=fields))
    else:
        async with world.db.write() as tx:
            if change == "unit":
                ended = world.today - timedelta(days=1)
                await tx.execute(update(Unit).where(Unit.code == "NV").values(ended_on=ended))
            elif change == "name":
                mine = world.people["An"]
                other = world.kit.keys.seal("accounts.full_name", mine, "Ân")
                await tx.execute(update(Account).where(Account.id == mine).values(full_name=other))
            else:
                await tx.execute(update(StaffRecord).values(left_at=world.now))
    before = await granted(world)
    said = await job.go_on(world.db, by=None, progress=lambda _done, _all: None)
    assert said == "1 people were changed meanwhile and got no role: run it again"
    assert await granted(world) == before and await facts(world, "roles.filled") == []
