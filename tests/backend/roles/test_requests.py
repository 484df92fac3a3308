"""Asking: what a draft may say, what it must not, and when it may be asked at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from backend.errors import FieldsInvalid, Refusal
from backend.roles.wish import Draft
from tests.backend.roles.world import World


def fields_of(refused: pytest.ExceptionInfo[FieldsInvalid]) -> dict[str, str]:
    """Field to code of a validation problem."""
    errors: Any = refused.value.facts["errors"]
    return {error["field"]: error["code"] for error in errors}


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"unit": ""}, "unit", "required"),
    ({"unit": "NOWHERE"}, "unit", "unknown_unit"),
    ({"unit": "NV\0"}, "unit", "unknown_unit"),
    ({"unit": "00000000-0000-4000-8000-000000000000"}, "unit", "unknown_unit"),
    ({"subject_type": None}, "subject_type", "required"),
    ({"subject_type": "giao_su"}, "subject_type", "unknown_subject_type"),
    ({"position": None}, "position", "required"),
    ({"position": "vua"}, "position", "unknown_position"),
    ({"position": "chu_tich_ubnd"}, "position", "not_for_subject_type"),
    ({"fields": {"salary": "1"}}, "fields.salary", "unknown_field"),
    ({"fields": {"employee_code": 7}}, "fields.employee_code", "wrong_type"),
    ({"fields": {"employee_code": ["a"]}}, "fields.employee_code", "wrong_type"),
    ({"fields": {"employee_code": "x" * 41}}, "fields.employee_code", "too_long"),
    ({"fields": {"employee_code": "x" * 60_000}}, "fields.employee_code", "too_long"),
    ({"fields": {"employee_code": "a\0b"}}, "fields.employee_code", "bad_characters"),
    ({"fields": {"employee_code": "a\u202eb"}}, "fields.employee_code", "bad_characters"),
    ({"fields": {"employee_code": "a" + "\u0301" * 5}}, "fields.employee_code", "bad_characters"),
    ({"fields": {"employee_code": "\ud800"}}, "fields.employee_code", "bad_characters"),
    ({"fields": {"decision_date": "31/12/2025"}}, "fields.decision_date", "bad_date"),
    ({"fields": {"decision_date": "2025-02-30"}}, "fields.decision_date", "bad_date"),
    ({"fields": {"decision_date": "0001-01-01"}}, "fields.decision_date", "bad_date"),
    ({"fields": {"rank": "king"}}, "fields.rank", "unknown_option"),
    ({"fields": {"official_email": "an@"}}, "fields.official_email", "bad_email"),
    ({"fields": {"official_email": "an@localhost"}}, "fields.official_email", "bad_email"),
    ({"effective_on": "2026-03-01"}, "effective_on", "in_the_past"),
    ({"effective_on": "2027-03-04"}, "effective_on", "too_far"),
    ({"until": "2026-03-01"}, "until", "before_effective"),
    ({"effective_on": "2026-05-02", "until": "2026-05-01"}, "until", "before_effective"),
    ({"subject_type": "nguoi_lao_dong", "fields": {}}, "fields.contract_number", "required"),
    (
        {"subject_type": "nguoi_lao_dong", "fields": {"contract_number": " "}},
        "fields.contract_number",
        "required",
    ),
    ({"role_id": "00000000-0000-4000-8000-000000000000"}, "role_id", "not_for_register"),
]


async def test_a_bad_field_is_named(world: World) -> None:
    for changes, field, code in BAD:
        with pytest.raises(FieldsInvalid) as refused:
            await world.ask("An", world.draft(**{"unit": "NV"} | changes))
        assert fields_of(refused) == {field: code}, changes


async def test_every_bad_field_is_named_at_once(world: World) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An", world.draft(unit="X", position="y", fields={"rank": "z"}, until="2020-01-01"))
    assert set(fields_of(refused)) == {"unit", "position", "fields.rank", "until"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "promote"},
        {"kind": "register", "state": "active"},
        {"kind": "register", "approved_by": "me"},
        {"kind": "register", "unit_id": "x"},
        {"kind": "register", "unit": 5},
        {"kind": "register", "unit": "x" * 201},
        {"kind": "register", "fields": []},
        {"kind": "register", "fields": {str(n): "" for n in range(41)}},
        {"kind": "register", "effective_on": "soon"},
        {"kind": "amend", "role_id": "nobody"},
    ],
)
def test_a_body_of_another_shape_is_not_read(body: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=Draft)


async def test_text_is_kept_in_nfc_without_blanks_around(world: World) -> None:
    role = await world.employ(
        "An", "NV", "Chi", fields={"decision_number": "  Quye\u0302\u0301t đi\u0323nh 5 "}
    )
    assert world.fields(role) == {"decision_number": "Quyết định 5"}


async def test_a_unit_is_named_by_code_or_by_uuid(world: World) -> None:
    asked = await world.ask("An", world.draft(unit=str(world.units["NV"])))
    assert asked.unit_id == world.units["NV"]


async def test_a_closed_unit_takes_no_requests(world: World) -> None:
    await world.unit("OLD", "HUE", ended_on=world.today)
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An", world.draft(unit="OLD"))
    assert fields_of(refused) == {"unit": "unit_closed"}


async def test_a_weak_identity_is_told_what_would_do(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        await world.ask("An", level=1)
    assert (refused.value.code, refused.value.status) == ("insufficient_assurance", 403)
    assert refused.value.facts == {"required": {"level": 2}}


async def test_one_request_waits_at_a_time(world: World) -> None:
    asked = await world.ask("An")
    with pytest.raises(Refusal, match="request_open"):
        await world.ask("An")
    await world.send_back("Chi", asked.id)
    with pytest.raises(Refusal, match="request_open"):
        await world.ask("An")
    await world.withdraw("An", asked.id)
    await world.ask("An")


async def test_who_has_a_role_corrects_or_moves_it(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    with pytest.raises(Refusal, match="home_role_exists"):
        await world.ask("An")


async def test_a_role_that_is_to_come_counts_as_one(world: World) -> None:
    asked = await world.ask("An", world.draft(effective_on=world.today + timedelta(days=2)))
    await world.approve("Chi", asked.id)
    with pytest.raises(Refusal, match="home_role_exists"):
        await world.ask("An")


@pytest.mark.parametrize("kind", ["amend", "transfer", "end"])
async def test_only_ones_own_role_in_force_is_changed(world: World, kind: str) -> None:
    with pytest.raises(Refusal, match="role_not_found"):
        await world.ask("An", world.draft(kind))
    role = await world.employ("Bình", "NV", "Chi")
    for role_id in (role.id, uuid4()):
        with pytest.raises(Refusal, match="role_not_found"):
            await world.ask("An", world.draft(kind, "TC", role_id=role_id))


async def test_a_correction_keeps_what_it_does_not_name(world: World) -> None:
    role = await world.employ("An", "NV", "Chi", fields={"employee_code": "A1"})
    asked = await world.ask("An", world.draft("amend", position="truong_phong"))
    await world.approve("Chi", asked.id)
    (changed,) = await world.roles("An")
    assert (changed.id, changed.position, changed.subject_type) == (role.id, "truong_phong", "cong_chuc")
    assert world.fields(changed) == {"employee_code": "A1"}


async def test_a_correction_does_not_move_anybody(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An", world.draft("amend", "TC"))
    assert fields_of(refused) == {"unit": "needs_transfer"}


async def test_an_end_names_nothing_but_the_role_the_day_and_a_reason(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("An", world.draft("end", "TC", position="truong_phong", fields={"rank": "senior"}))
    assert fields_of(refused) == {
        "unit": "not_for_end",
        "position": "not_for_end",
        "fields.rank": "unknown_field",
    }


async def test_only_a_returned_request_is_corrected_and_only_by_its_owner(world: World) -> None:
    asked = await world.ask("An")
    with pytest.raises(Refusal, match="not_returned"):
        await world.resubmit("An", asked.id)
    await world.send_back("Chi", asked.id)
    with pytest.raises(Refusal, match="request_not_found"):
        await world.resubmit("Eve", asked.id)
    assert (await world.tags())[-1] == "access.refused"
    with pytest.raises(FieldsInvalid):
        await world.resubmit("An", asked.id, world.draft("end"))
    back = await world.resubmit("An", asked.id, world.draft(unit="TC"))
    assert (back.status, back.unit_id) == ("pending", world.units["TC"])
    await world.approve("Dũng", asked.id)


async def test_nobody_withdraws_for_another(world: World) -> None:
    asked = await world.ask("An")
    with pytest.raises(Refusal, match="request_not_found"):
        await world.withdraw("Eve", asked.id)
    assert (await world.request(asked.id)).status == "pending"


async def test_what_a_manager_started_is_taken_back_by_the_manager(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    asked = await world.move("Chi", role.id, "TC")
    with pytest.raises(Refusal, match="not_your_request"):
        await world.withdraw("An", asked.id)
    await world.withdraw("Chi", asked.id)
    assert await world.states("An") == ["NV:active"]


async def test_a_key_is_for_one_body(world: World) -> None:
    first = await world.ask("An", key="k1")
    again = await world.ask("An", key="k1")
    assert again.id == first.id
    with pytest.raises(Refusal, match="idempotency_key_reused"):
        await world.ask("An", world.draft(unit="TC"), key="k1")
    other = await world.ask("Bình", world.draft(unit="TC"), key="k1")
    assert other.id != first.id


async def test_another_persons_official_address_is_refused(world: World) -> None:
    mail = {"official_email": "an.nguyen@hue.example"}
    await world.employ("An", "NV", "Chi", fields=mail)
    with pytest.raises(FieldsInvalid) as refused:
        await world.ask("Bình", world.draft(fields={"official_email": "AN.Nguyen@hue.example"}))
    assert fields_of(refused) == {"fields.official_email": "taken"}


async def test_an_address_that_was_taken_meanwhile_stops_the_approval(world: World) -> None:
    mail = {"official_email": "chung@hue.example"}
    first = await world.ask("An", world.draft(fields=mail))
    second = await world.ask("Bình", world.draft(fields=mail))
    await world.approve("Chi", first.id)
    with pytest.raises(Refusal, match="official_email_taken"):
        await world.approve("Chi", second.id)
    assert await world.states("Bình") == []


async def test_r17_an_amendment_that_changes_nothing_is_refused(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    typed = world.draft("amend", position=role.position, fields=world.fields(role))
    for same in (world.draft("amend", fields={}), typed):
        with pytest.raises(Refusal) as refused:
            await world.ask("An", same)
        assert "nothing_changed" in str(refused.value.facts)
    await world.ask("An", world.draft("amend", fields={"employee_code": "B2"}))
