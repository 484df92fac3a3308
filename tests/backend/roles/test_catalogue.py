"""The province's own catalogue: a new version, in force at the next call, heard of by everybody concerned."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import func, select

from backend.errors import FieldsInvalid
from backend.outbox.models import Delivery
from backend.outside.clock import local_day
from backend.roles.catalogue.entries import Approval, Catalogue, FieldType, FormField, Grant, Option
from backend.roles.catalogue.in_force import in_force, newest_version, shipped
from tests.backend.roles.editions import (
    HEAD,
    bring_in,
    groups,
    held_by,
    in_force_now,
    job_of,
    of_post,
    settled,
    with_field,
    with_post,
    without,
)
from tests.backend.roles.world import World


async def test_a_version_is_in_force_at_the_next_question_and_the_journal_says_so(world: World) -> None:
    assert await in_force_now(world) == shipped()
    plan = await bring_in(world, lambda one: with_post(HEAD, one))
    assert (plan.created, plan.needs_yes, plan.told) == (1, False, {})
    now = await in_force_now(world)
    assert now.positions["hieu_truong"] == HEAD and await in_force_now(world) is now, "parsed once"
    await bring_in(world, lambda one: of_post("hieu_truong", one, label="Hiệu trưởng trường"))
    assert (await in_force_now(world)).positions["hieu_truong"].label == "Hiệu trưởng trường"
    assert (await world.tags()).count("catalogue.imported") == 2
    async with world.db.read() as tx:
        newest = await newest_version(tx)
        assert newest is not None and newest.version == 2


async def test_r39_a_post_that_the_province_adds_is_asked_for_and_given(world: World) -> None:
    wish = world.draft(subject_type="vien_chuc", position="hieu_truong")
    with pytest.raises(FieldsInvalid):
        await world.ask("An", wish)
    await bring_in(world, lambda one: with_post(HEAD, one))
    asked = await world.ask("An", wish)
    await world.approve("Chi", asked.id)
    assert await world.states("An") == ["NV:active"]
    assert (await world.seen_by("Chi", asked.id)).position == "Hiệu trưởng"


async def test_who_has_a_post_whose_grants_change_is_told_of_where_they_change_and_nobody_else_is(
    world: World,
) -> None:
    everywhere, tax = await world.system("Văn bản"), await world.system("Thuế", "TC")
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "TC", "Dũng")
    clerk = world.draft(unit="NV", position="van_thu")
    await world.approve("Chi", (await world.ask("Eve", clerk)).id)
    await settled(world)

    def edit(one: Catalogue) -> Catalogue:
        sign = Grant(code="signer", label="Người ký số", label_en="Signer", systems=("Văn bản",))
        grants = msgspec.structs.replace(one, grants={**one.grants, "signer": sign})
        return of_post("chuyen_vien", grants, grants=("signer",))

    before = {name: len(await world.deliveries(name)) for name in ("An", "Bình", "Eve")}
    plan = await bring_in(world, edit)
    assert plan.told == {"Văn bản": 2} and plan.losing == 0
    assert any("Văn bản" in note.vi and "2 người" in note.vi for note in plan.notes)
    after = {name: len(await world.deliveries(name)) for name in ("An", "Bình", "Eve")}
    assert {name: after[name] - before[name] for name in after} == {"An": 1, "Bình": 1, "Eve": 0}
    newest = (await world.deliveries("Bình"))[-1]
    assert (newest.system_id, newest.state, newest.lane) == (everywhere, "pending", 2)
    assert "role:signer" in groups(await held_by(world, "Bình", everywhere))
    assert "role:signer" not in groups(await held_by(world, "Bình", tax)), "a grant of one system"


async def test_who_loses_a_right_is_told_of_first(world: World) -> None:
    system = await world.system("Văn bản")
    asked = await world.ask("An", world.draft(position="van_thu"))
    await world.approve("Chi", asked.id)
    await settled(world)
    assert "role:clerk" in groups(await held_by(world, "An", system))
    plan = await bring_in(world, lambda one: of_post("van_thu", one, grants=()))
    assert (plan.told, plan.losing, plan.people) == ({"Văn bản": 1}, 1, 1)
    assert (await world.deliveries("An"))[-1].lane == 0
    assert "role:clerk" not in groups(await held_by(world, "An", system))


async def test_everybody_is_told_of_in_chunks_and_in_the_same_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.outbox.renewal.CHUNK", 2)
    await world.system("Văn bản")
    for name in ("An", "Bình", "Eve"):
        await world.employ(name, "NV", "Chi")
    await settled(world)
    plan = await bring_in(world, lambda one: of_post("chuyen_vien", one, label="Chuyên viên phòng"))
    assert plan.told == {"Văn bản": 3}
    async with world.db.read() as tx:
        waiting = select(func.count()).select_from(Delivery).where(Delivery.state == "pending")
        assert await tx.scalar(waiting) == 3


async def test_what_is_in_use_is_closed_and_goes_on_meaning_what_it_meant(world: World) -> None:
    system = await world.system("Văn bản")
    asked = await world.ask("An", world.draft(position="van_thu"))
    await world.approve("Chi", asked.id)
    await settled(world)
    plan = await bring_in(
        world, lambda one: without("grants", "clerk", without("positions", "van_thu", _alone(one)))
    )
    assert plan.told == {} and plan.needs_yes
    (closed, *_) = [line for line in plan.ended if "van_thu" in line]
    assert "khóa" in closed and "positions van_thu" in closed
    now = await in_force_now(world)
    assert now.positions["van_thu"].until == local_day(world.now) - timedelta(days=1)
    assert "role:clerk" in groups(await held_by(world, "An", system)), "and its grant with it"
    assert (await world.seen_by("Chi", asked.id)).position == "Văn thư"
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("Bình", world.draft(position="van_thu"))
    assert [(one.field, one.code) for one in refused.value.fields] == [("position", "closed")]
    assert "van_thu" not in {post.code for post in now.positions_for("cong_chuc", local_day(world.now))}
    await world.approve("Chi", (await world.ask("An", world.draft("amend", fields={"rank": "associate"}))).id)
    assert (await world.roles("An"))[-1].position == "van_thu", "whoever has it keeps it"


def _alone(catalogue: Catalogue) -> Catalogue:
    """Without the rules that name positions, so that any may be left out."""
    return msgspec.structs.replace(catalogue, incompatible=(), approvals=())


async def test_the_rules_of_a_closed_post_stay_for_whoever_has_it(world: World) -> None:
    """The file cannot say them: it may name no post that it lacks."""
    asked = await world.ask("An", world.draft(position="van_thu"))
    await world.approve("Chi", asked.id)
    two = Approval(needs=2, position="van_thu")
    await bring_in(world, lambda one: msgspec.structs.replace(one, approvals=(*one.approvals, two)))
    before = await in_force_now(world)
    plan = await bring_in(world, lambda one: without("positions", "van_thu", _alone(one)))
    now = await in_force_now(world)
    assert before.conflict("ke_toan", "van_thu") is not None
    assert now.conflict("van_thu", "ke_toan") == before.conflict("ke_toan", "van_thu")
    assert now.conflict("ke_toan", "mot_cua") is None, "both are in the file, which says nothing of them"
    assert now.needs("amend", "van_thu") == 2
    gone = [line for line in plan.ended if line.startswith("incompatible")]
    assert len(gone) == 1 and "mot_cua" in gone[0]
    async with world.db.read() as tx:
        assert (await job_of(world, without("positions", "van_thu", _alone(shipped()))).plan(tx)).is_empty


async def test_of_a_right_and_a_rule_nobody_is_told_that_nobody_ever_had_it(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An", world.draft(position="van_thu"))
    await world.approve("Chi", asked.id)

    def edit(one: Catalogue) -> Catalogue:
        return without("grants", "clerk", of_post("van_thu", _alone(one), grants=()))

    plan = await bring_in(world, edit)
    assert plan.losing == 1 and any(line.startswith("grants clerk") for line in plan.ended)
    assert [line for line in plan.ended if "chưa ai dùng" in line] == []


async def test_what_nobody_ever_used_is_removed(world: World) -> None:
    plan = await bring_in(world, lambda one: without("positions", "lai_xe", one))
    assert [line.partition(":")[0] for line in plan.ended] == ["positions lai_xe"]
    assert "lai_xe" not in (await in_force_now(world)).positions


async def test_the_file_that_lacks_what_is_in_use_is_found_unchanged_the_next_day(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    shorter = without("positions", "chuyen_vien", shipped())
    await bring_in(world, lambda _: shorter)
    world.pass_time(days=3)
    async with world.db.read() as tx:
        assert (await job_of(world, shorter).plan(tx)).is_empty
        assert (await job_of(world, await in_force(tx)).plan(tx)).is_empty, "as its export is"
    await bring_in(world, lambda _: shipped())
    assert (await in_force_now(world)) == shipped(), "and named again it is open again"


async def test_a_field_and_a_choice_that_are_gone_keep_their_words_for_what_was_filled_in(
    world: World,
) -> None:
    asked = await world.ask("An", world.draft(fields={"rank": "associate", "decision_number": "12/QĐ"}))
    await world.approve("Chi", asked.id)
    rank = shipped().subject_types["cong_chuc"].field("rank")
    assert rank is not None
    fewer = msgspec.structs.replace(rank, options=rank.options[:2])

    def edit(one: Catalogue) -> Catalogue:
        kind = one.subject_types["cong_chuc"]
        fields = tuple(
            fewer if field.name == "rank" else field
            for field in kind.fields
            if field.name != "decision_number"
        )
        kinds = {**one.subject_types, "cong_chuc": msgspec.structs.replace(kind, fields=fields)}
        return msgspec.structs.replace(one, subject_types=kinds)

    await bring_in(world, edit)
    seen = [(field.label, field.value) for field in (await world.seen_by("Chi", asked.id)).fields]
    assert seen == [("Ngạch công chức", "Cán sự"), ("Số quyết định", "12/QĐ")]
    for fields, code in (
        ({"rank": "associate"}, "unknown_option"),
        ({"decision_number": "13/QĐ"}, "unknown_field"),
    ):
        with pytest.raises(FieldsInvalid) as refused:
            await world.ask("Bình", world.draft(fields=fields))
        assert [one.code for one in refused.value.fields] == [code]
    changed = await world.ask("An", world.draft("amend", position="can_su"))
    await world.approve("Chi", changed.id)
    assert world.fields((await world.roles("An"))[-1]) == {"rank": "associate"}, "held on by whoever has it"


@pytest.mark.parametrize("kind", [FieldType.DATE, FieldType.EMAIL, FieldType.SELECT])
async def test_what_was_filled_in_under_another_type_is_still_read(world: World, kind: FieldType) -> None:
    text = FormField(name="joined", label="Vào ngành", label_en="Joined", type=FieldType.TEXT)
    await bring_in(world, lambda one: with_field("cong_chuc", text, one))
    asked = await world.ask("An", world.draft(fields={"joined": "mùa xuân 1999"}))
    options = (Option(value="a", label="A", label_en="A"),) if kind is FieldType.SELECT else ()
    other = msgspec.structs.replace(text, type=kind, options=options)
    await bring_in(world, lambda one: with_field("cong_chuc", other, one))
    seen = [(field.label, field.value) for field in (await world.seen_by("Chi", asked.id)).fields]
    assert seen == [("Vào ngành", "mùa xuân 1999")]
    await world.approve("Chi", asked.id)
    assert (await world.seen_by("Chi", asked.id)).position == "Chuyên viên"


async def test_a_form_field_that_the_province_adds_is_asked_for(world: World) -> None:
    field = FormField(
        name="blood_group",
        label="Nhóm máu",
        label_en="Blood group",
        type=FieldType.SELECT,
        required=True,
        personal=True,
        options=(Option(value="a", label="Nhóm A", label_en="Group A"),),
    )
    await bring_in(world, lambda one: with_field("cong_chuc", field, one))
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An")
    assert [one.field for one in refused.value.fields] == ["fields.blood_group"]
    asked = await world.ask("An", world.draft(fields={"blood_group": "a"}))
    assert [field.value for field in (await world.seen_by("Chi", asked.id)).fields] == ["Nhóm A"]
    kept = (await in_force_now(world)).subject_types["cong_chuc"].field("blood_group")
    assert kept is not None and kept.personal
