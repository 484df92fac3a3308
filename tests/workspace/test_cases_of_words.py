"""Many words at once, and words on a page that has grown old: one outcome, and else nothing (cases TW03, TW04, rule 614)."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from backend.roles import managers, requests
from backend.roles.wish import Draft
from tests.workspace.aftermath import DECIDED, WITHDRAWN, Hand, a_system, after, role_of
from tests.workspace.office import Desk, Office, Somebody, signed_in
from tests.workspace.test_appointments import chis_post
from tests.workspace.test_deciding import word
from tests.workspace.test_operator import END
from tests.workspace.test_reorganisations import DECISION, carried, merger, planned

MANY = 64
ONE_ENGINE = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
FORM = {"subject_type": "cong_chuc", "position": "chuyen_vien"}


async def refused(office: Office, hand: Hand, request_id: UUID, *, says: str) -> None:
    """A yes on the page as it was: a page says why and shows the row as it is, and nothing changes."""
    before = await after(office, request_id)
    answer = await hand.press(f"/workspace/requests/{request_id}/decision", word("approved"))
    assert answer.status_code == 409 and says in answer.text, answer.text
    assert f"/workspace/requests/{request_id}" in answer.text
    assert await after(office, request_id) == before


async def test_tw03_of_sixty_four_approvals_at_once_one_counts(office: Office, desk: Desk) -> None:
    await a_system(office)
    request_id = await office.asks("Mai Thị Sáu Tư")
    hand = await Hand.of(desk, f"/workspace/requests/{request_id}")
    path = f"/workspace/requests/{request_id}/decision"
    answers = await asyncio.gather(*(hand.press(path, word("approved")) for _ in range(MANY)))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: MANY - 1}
    became = await after(office, request_id)
    assert (became.status, became.version, became.words) == ("approved", 2, ("approved",))
    assert (became.tags.count(DECIDED), len(became.told), len(became.homes)) == (1, 1, 1)


async def test_tw03_a_yes_against_a_no_leaves_one_word_in_every_place(office: Office, desk: Desk) -> None:
    await a_system(office)
    request_id = await office.asks("Mai Thị Có Không")
    hand = await Hand.of(desk, f"/workspace/requests/{request_id}")
    path = f"/workspace/requests/{request_id}/decision"
    words = [word("approved"), word("rejected", reason="Không"), word("returned", reason="Thiếu")] * 5
    answers = await asyncio.gather(*(hand.press(path, one) for one in words))
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: len(words) - 1}
    became = await after(office, request_id)
    assert became.words == (became.status,) and became.tags.count(DECIDED) == 1
    held = 1 if became.status == "approved" else 0
    assert (len(became.told), len(became.homes)) == (held, held)


async def test_tw03_a_yes_against_the_applicants_withdrawal_has_one_winner(
    office: Office, desk: Desk
) -> None:
    await a_system(office)
    who = await office.person("Mai Thị Rút")
    request_id, own = await office.asks_as(who), await office.desk(who)
    yes = await Hand.of(desk, f"/workspace/requests/{request_id}")
    never_mind = await Hand.of(own, f"/workspace/me/requests/{request_id}")
    acts = [
        act
        for _ in range(8)
        for act in (
            yes.press(f"/workspace/requests/{request_id}/decision", word("approved")),
            never_mind.press(f"/workspace/me/requests/{request_id}/withdraw", {}),
        )
    ]
    answers = await asyncio.gather(*acts)
    await own.http.aclose()
    assert Counter(answer.status_code for answer in answers) == {303: 1, 409: len(acts) - 1}
    became = await after(office, request_id)
    assert became.status in {"approved", "withdrawn"} and became.version == 2
    assert (became.tags.count(DECIDED), became.tags.count(WITHDRAWN)) in {(1, 0), (0, 1)}
    held = 1 if became.status == "approved" else 0
    assert (len(became.told), len(became.homes)) == (held, held)


async def test_tw03_a_yes_against_a_transfer_of_the_same_person_comes_one_after_the_other(
    office: Office, desk: Desk
) -> None:
    who = await office.person("Mai Thị Chuyển")
    role = await role_of(office, await office.employ(who))
    service, now = office.service, office.service.clock.now()
    async with service.db.write() as tx:
        draft = Draft(kind="amend", position="van_thu")
        asked = await requests.create(tx, service.kit, draft, by=who.account_id, now=now, level=2)
    receiver = await office.desk(office.dung)
    yes = await Hand.of(desk, f"/workspace/requests/{asked.id}")
    taker = await Hand.of(receiver, "/workspace")
    form = {"unit": office.other, "position": "chuyen_vien"}
    decided, *begun = await asyncio.gather(
        yes.press(f"/workspace/requests/{asked.id}/decision", word("approved")),
        *(taker.press(f"/workspace/people/{role}/transfer", form) for _ in range(8)),
    )
    await receiver.http.aclose()
    assert decided.status_code == 303, decided.text
    made = [answer.headers["location"] for answer in begun if answer.status_code == 303]
    assert len(made) <= 1 and {answer.status_code for answer in begun} <= {303, 404, 409}
    became = await after(office, asked.id)
    assert (became.status, became.words, len(became.homes)) == ("approved", ("approved",), 1)
    for place in made:
        moved = await after(office, UUID(place.rpartition("/")[2]))
        assert (moved.status, moved.version) == ("pending", 1)


async def test_tw04_a_yes_after_the_withdrawal_is_told_so_and_changes_nothing(
    office: Office, desk: Desk
) -> None:
    who = await office.person("Mai Văn Thôi")
    request_id, own = await office.asks_as(who), await office.desk(who)
    hand = await Hand.of(desk, f"/workspace/requests/{request_id}")
    withdrawn = await (await Hand.of(own, "/workspace/me")).press(
        f"/workspace/me/requests/{request_id}/withdraw", {}
    )
    assert withdrawn.status_code == 303, withdrawn.text
    await own.http.aclose()
    await refused(office, hand, request_id, says="Chưa có gì thay đổi")
    assert (await after(office, request_id)).status == "withdrawn"


async def test_tw04_a_yes_after_an_edit_is_told_so_and_shows_what_it_says_now(
    office: Office, desk: Desk
) -> None:
    who = await office.person("Mai Văn Sửa")
    request_id, own = await office.asks_as(who), await office.desk(who)
    hand = await Hand.of(desk, f"/workspace/requests/{request_id}")
    colleague = await office.desk(await office.person("Mai Văn Cùng", manages=office.unit))
    back = await colleague.send(
        f"/workspace/requests/{request_id}/decision", word("returned", reason="Sai chức vụ")
    )
    assert back.status_code == 303, back.text
    await refused(office, hand, request_id, says="Chưa có gì thay đổi")  # as long as it lies with the person
    office.service.pass_time(seconds=11)
    again = {**FORM, "unit": office.unit, "position": "van_thu"}
    applicant = await Hand.of(own, "/workspace/me")
    corrected = await applicant.press(f"/workspace/me/requests/{request_id}/correct", again)
    assert corrected.status_code == 303, corrected.text
    for one in (own, colleague):
        await one.http.aclose()
    await refused(office, hand, request_id, says="Yêu cầu đã thay đổi")
    fresh = await hand.press(f"/workspace/requests/{request_id}/decision", word("approved"))
    assert (
        "Văn thư" in fresh.text
        and f'name="version" value="{(await after(office, request_id)).version}"' in (fresh.text)
    )


async def both_units(office: Office, name: str) -> Somebody:
    """Somebody who decides for the unit that goes and for the one that takes its work over."""
    who = await office.person(name, manages=office.unit)
    async with office.service.db.write() as tx:
        now = office.service.clock.now()
        number = who.persona.national_id
        await managers.add(tx, office.service.kit, office.other, number, by=None, now=now)
    return who


@ONE_ENGINE
@pytest.mark.parametrize("back", [False, True], ids=["merged", "and_back"])
async def test_tw04_a_yes_after_the_unit_was_merged_is_told_so_and_changes_nothing(
    office: Office, desk: Desk, back: bool
) -> None:
    request_id = await office.asks("Mai Văn Nhập")
    moving = await office.asks_moving("Mai Văn Giữa", to=office.root)
    operator, both = await office.desk(office.ha), await office.desk(await both_units(office, "Mai Thị Hai"))
    pages = [
        (await Hand.of(both, f"/workspace/requests/{one}"), one) for one in (request_id, moving) if not back
    ]
    gone = await Hand.of(desk, f"/workspace/requests/{request_id}")
    run = await operator.send(f"{await planned(operator, merger(office))}/run", DECISION)
    place = run.headers["location"]
    await carried(operator, place, "Đã hoàn tất")
    if back:
        pages = [(await Hand.of(both, f"/workspace/requests/{one}"), one) for one in (request_id, moving)]
        seen = {one: (await after(office, one)).version for _, one in pages}
        assert (await operator.send(f"{place}/reverse", {})).status_code == 303
        await carried(operator, place, "Đã hoàn nguyên")
        for hand, one in pages:
            stale = await hand.press(
                f"/workspace/requests/{one}/decision", word("approved", version=seen[one])
            )
            assert stale.status_code == 409 and "Yêu cầu đã thay đổi" in stale.text, stale.text
    else:
        for hand, one in pages:
            await refused(office, hand, one, says="Yêu cầu đã thay đổi")
        before = await after(office, request_id)
        answer = await gone.press(f"/workspace/requests/{request_id}/decision", word("approved"))
        assert answer.status_code in {403, 404} and "Phê duyệt</button>" not in answer.text
        assert await after(office, request_id) == before
    for one_desk in (operator, both):
        await one_desk.http.aclose()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["nothing_left", "another_unit_left"])
async def test_tw04_a_yes_after_the_approver_has_lost_the_right_changes_nothing(
    office: Office, desk: Desk, elsewhere: bool
) -> None:
    request_id = await office.asks("Mai Văn Mất Quyền")
    if elsewhere:
        async with office.service.db.write() as tx:
            now, number = office.service.clock.now(), office.chi.persona.national_id
            await managers.add(tx, office.service.kit, office.other, number, by=None, now=now)
    hand, above = await Hand.of(desk, f"/workspace/requests/{request_id}"), await office.desk(office.ha)
    ends = {label: place for place, label in END.findall(await above.page("/workspace/operator"))}
    place = next(ends[one] for one in ends if f"Nội vụ {office.number}" in one and one.endswith("Lê Thị Chi"))
    assert (await above.send(place, {"confirmed": "1", "undecided": "0"})).status_code == 303
    await nothing_counts(office, hand, above, request_id, 404 if elsewhere else 403)


async def test_tw04_a_yes_after_the_approver_has_lost_the_post_changes_nothing(
    office: Office, desk: Desk
) -> None:
    post, request_id = await chis_post(office), await office.asks("Mai Văn Mất Quyền")
    hand, above = await Hand.of(desk, f"/workspace/requests/{request_id}"), await office.desk(office.ha)
    ended = await above.send(f"/workspace/people/{post}/end", {"reason": "Nghỉ hưu"})
    assert ended.status_code == 303, ended.text
    before = await after(office, request_id)
    out = await hand.press(f"/workspace/requests/{request_id}/decision", word("approved"))
    assert out.status_code == 303 and out.headers["location"].startswith("/workspace/login?why=ended")
    assert await after(office, request_id) == before
    await signed_in(desk.http, office.chi.persona)
    again = await Hand.of(desk, "/workspace/me")
    await nothing_counts(office, again, above, request_id, 403)


async def nothing_counts(office: Office, hand: Hand, above: Desk, request_id: UUID, status: int) -> None:
    """The press of somebody who decides there no more; the unit above has it now."""
    before = await after(office, request_id)
    answer = await hand.press(f"/workspace/requests/{request_id}/decision", word("approved"))
    assert answer.status_code == status and "Mai Văn Mất Quyền" not in answer.text, answer.text
    assert await after(office, request_id) == before
    assert "Mai Văn Mất Quyền" in await above.page("/workspace"), "the unit above decides now"
    await above.http.aclose()
