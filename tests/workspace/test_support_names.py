"""A name that the desk corrects: by a document, by two clerks, and never against who vouches for it (rule 1107; R37)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select, update

from backend.account import Account
from backend.accounts.identity import called, correcting
from backend.db import new_id
from backend.journal import Entry
from backend.outbox.models import Delivery, Link, System
from backend.support.models import NameProposal
from backend.throttle import Budget
from tests.citizen import Citizen
from tests.mobile_api.test_joins import a_name, account_of, items
from tests.service import Service
from tests.workspace.counter import Counter
from tests.workspace.office import Office, Somebody
from tests.workspace.support_joins import dismissed, hired
from tests.workspace.test_fresh import signed_in_before
from tests.workspace.test_systems import NOBODY

# what two clerks may do does not depend on where the rows are kept; the race does
pytestmark = pytest.mark.usefixtures("nothing_waits")
HOME, PAPER = "/workspace/support/names", "079/2024/TLKS-Đ12"
SAID = ("account.name_proposed", "account.name_corrected", "account.name_kept")


@pytest_asyncio.fixture(loop_scope="session")
async def nothing_waits(service: Service) -> None:
    async with service.db.write() as tx:
        await tx.execute(delete(NameProposal))
        await tx.execute(delete(Budget))


async def registered(service: Service) -> Citizen:
    """Somebody whose subscriber registry said the name."""
    return await Citizen.new(service, full_name=a_name()).register()


def form(citizen: Citizen, name: str, **changes: str) -> dict[str, str]:
    said = {"national_id": citizen.person.national_id, "full_name": name, "document": "civil_status"}
    return said | {"document_number": PAPER, "grounds": "Đã xem trích lục cải chính bản gốc"} | changes


async def proposed(counter: Counter, citizen: Citizen, name: str) -> str:
    """The way to the proposal that this clerk makes."""
    answer = await counter.post(HOME, **form(citizen, name))
    assert answer.status_code == 303, answer.text
    return str(re.findall(rf'action="({HOME}/[0-9a-f-]{{36}})/refuse"', await counter.page(HOME))[-1])


async def name_of(citizen: Citizen) -> str:
    return str((await citizen.phone.call("GET", "/v1/me")).json()["full_name"])


async def said(service: Service, account_id: UUID) -> list[tuple[str, UUID | None, str]]:
    wanted = select(Entry.tag, Entry.by, Entry.fact).where(Entry.subject == account_id)
    async with service.db.read() as tx:
        rows = await tx.execute(wanted.where(Entry.tag.in_(SAID)).order_by(Entry.seq))
        return [(row.tag, row.by, str(row.fact)) for row in rows]


def heard(citizen: Citizen) -> list[str]:
    """The desk's messages to the person, oldest first."""
    sent: Iterable[str] = (one.text for one in citizen.service.inbox.sms if one.to == citizen.e164)
    return [text for text in reversed(list(sent)) if "ho ten" in text]


async def kinds(citizen: Citizen) -> list[str]:
    return [one["kind"] for one in await items(citizen.phone, "/v1/notices")]


async def known_to_a_system(office: Office, whose: UUID) -> UUID:
    """A system has been told of the person, and managers find them by name."""
    service = office.service
    system = System(id=new_id(), name=f"Tên {office.number}", kind="scim", url=NOBODY)
    system.created_at = service.clock.now()
    async with service.db.write() as tx:
        tx.add(system)
        await tx.flush()
        tx.add(Link(id=new_id(), system_id=system.id, account_id=whose))
        await called.make_findable(tx, service.kit, [whose])
    return system.id


async def test_r37_a_name_is_corrected_once_a_second_clerk_has_read_the_same_paper(
    office: Office, clerk: Somebody, counter: Counter, second: Counter
) -> None:
    service, citizen = office.service, await registered(office.service)
    whose, before, name = await account_of(citizen.phone), citizen.person.full_name, f"{a_name()} Sửa"
    system = await known_to_a_system(office, whose)
    at = await proposed(counter, citizen, name)
    page = await second.page(HOME)
    assert name in page and before in page and f"{at}/confirm" in page
    assert PAPER not in page and citizen.person.national_id not in page, "the number is read on the paper"
    assert await name_of(citizen) == before and "name_proposed" in await kinds(citizen)
    for wrong in ("", "079/2024/TLKS-Đ13", "…"):
        answer = await second.post(f"{at}/confirm", document_number=wrong)
        assert answer.status_code == 422 and "Số giấy tờ không khớp" in answer.text
    assert await name_of(citizen) == before
    answer = await second.post(f"{at}/confirm", document_number=f" {PAPER.lower()} ")
    assert answer.status_code == 303, answer.text
    assert await name_of(citizen) == name
    identity = (await citizen.phone.call("GET", "/v1/me/identity")).json()["attributes"]
    (line,) = [one for one in identity if one["name"] == "full_name"]
    assert (line["value"], line["state"], line["source"]) == (name, "verified", "desk")
    edited = await citizen.phone.call("PATCH", "/v1/me/identity", {"attributes": {"full_name": before}})
    assert edited.json()["code"] == "attribute_verified"
    tags = await said(service, whose)
    assert [tag for tag, _, _ in tags] == ["account.name_proposed", "account.name_corrected"]
    assert tags[0][1] == clerk.account_id and tags[1][1] not in {None, clerk.account_id}
    assert not any(word in fact for _, _, fact in tags for word in (name, PAPER))
    assert {"name_proposed", "name_corrected"} <= set(await kinds(citizen)) and len(heard(citizen)) == 2
    async with service.db.read() as tx:
        owed = select(func.count(Delivery.id)).where(Delivery.system_id == system)
        assert await tx.scalar(owed.where(Delivery.account_id == whose)) == 1, (
            "every system hears of it (R22)"
        )
        assert whose in (await called.those(tx, service.kit, name)).accounts
        assert await tx.scalar(select(func.count(NameProposal.id))) == 0
    async with service.db.write() as tx:
        await tx.execute(update(System).where(System.id == system).values(disabled_at=service.clock.now()))


async def test_r37_nobody_confirms_their_own_proposal_or_their_own_name(
    office: Office, counter: Counter
) -> None:
    service, citizen = office.service, await registered(office.service)
    at = await proposed(counter, citizen, "Tên Mới Tinh")
    assert f"{at}/confirm" not in await counter.page(HOME)
    assert (await counter.post(f"{at}/confirm", document_number=PAPER)).status_code == 403
    owner = await office.person("Vừ Thị Tự Sửa")
    async with service.db.write() as tx:
        moved = update(NameProposal).where(NameProposal.id == UUID(at[-36:]))
        await tx.execute(moved.values(account_id=owner.account_id))
    async with hired(office, owner) as own:
        assert at not in await own.page(HOME)
        assert (await own.post(f"{at}/confirm", document_number=PAPER)).status_code == 403
        assert (await own.post(f"{at}/refuse")).status_code == 403
        mine = form(citizen, "Tên Của Tôi", national_id=owner.persona.national_id)
        assert (await own.post(HOME, **mine)).status_code == 403
    await dismissed(office, owner)
    assert await name_of(citizen) == citizen.person.full_name


@pytest.mark.parametrize("by", ["vneid", "certificate", "post_office"])
async def test_r37_a_desk_does_not_overrule_who_vouches_for_a_name(
    office: Office, counter: Counter, by: str
) -> None:
    service, citizen = office.service, await registered(office.service)
    whose = await account_of(citizen.phone)
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == whose).values(vouched_by=by))
    answer = await counter.post(HOME, **form(citizen, "Tên Khác Hẳn"))
    assert answer.status_code == 409 and "chỉ sửa được ở nơi đó" in answer.text
    assert citizen.person.national_id in answer.text, "the form is kept"
    assert await said(service, whose) == []


async def test_r37_what_vneid_vouches_for_meanwhile_is_not_overwritten_and_a_frozen_account_waits(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, citizen = office.service, await registered(office.service)
    whose = await account_of(citizen.phone)
    for change in (
        {"vouched_by": "vneid"},
        {"frozen_at": service.clock.now()},
        {"version": Account.version + 1},
    ):
        at = await proposed(counter, citizen, "Tên Đến Sau")
        async with service.db.write() as tx:
            await tx.execute(update(Account).where(Account.id == whose).values(change))
        answer = await second.post(f"{at}/confirm", document_number=PAPER)
        assert answer.status_code == 409 and "đã bị hủy" in answer.text
        if "frozen_at" in change:
            assert (await counter.post(HOME, **form(citizen, "Tên Đến Sau"))).status_code == 409
        async with service.db.write() as tx:
            same = {"vouched_by": "subscriber", "frozen_at": None}
            await tx.execute(update(Account).where(Account.id == whose).values(same))
    assert [tag for tag, _, _ in await said(service, whose)][1::2] == ["account.name_kept"] * 3
    assert await name_of(citizen) == citizen.person.full_name


async def test_r37_the_person_says_no_a_clerk_says_no_or_its_time_is_over(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, citizen = office.service, await registered(office.service)
    whose = await account_of(citizen.phone)
    at = await proposed(counter, citizen, "Tên Không Nhận")
    (notice,) = [one for one in await items(citizen.phone, "/v1/notices") if one["kind"] == "name_proposed"]
    assert notice["can_deny"] and "Tên Không Nhận" in notice["body"]
    assert (await citizen.phone.call("POST", f"/v1/notices/{notice['id']}/deny")).status_code == 201
    assert (await second.post(f"{at}/confirm", document_number=PAPER)).status_code == 404
    for who in (second, counter):
        at = await proposed(counter, citizen, "Tên Không Nhận")
        assert (await who.post(f"{at}/refuse")).status_code == 303
    at = await proposed(counter, citizen, "Tên Không Nhận")
    assert (await counter.post(HOME, **form(citizen, "Tên Khác"))).status_code == 409, "one waits already"
    late = service.clock.now() + timedelta(seconds=service.kit.limits.desk_join_life)
    await correcting.sweep(service.db, service.kit, late)
    assert (await second.post(f"{at}/confirm", document_number=PAPER)).status_code == 404
    facts = [fact for tag, _, fact in await said(service, whose) if tag == "account.name_kept"]
    reasons = [re.findall(r'"reason":\s?"(\w+)"', fact)[0] for fact in facts]
    assert reasons == ["denied", "refused", "withdrawn", "expired"]
    assert (await kinds(citizen)).count("name_kept") == 3, "that its time is over is told when it is"
    assert await name_of(citizen) == citizen.person.full_name


async def test_r37_of_many_confirmations_at_once_one_corrects(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, citizen = office.service, await registered(office.service)
    at = await proposed(counter, citizen, "Tên Cùng Lúc")
    answers = await asyncio.gather(
        *(second.post(f"{at}/confirm", document_number=PAPER) for _ in range(8)), counter.post(f"{at}/refuse")
    )
    assert all(one.status_code in {303, 404} for one in answers), [one.status_code for one in answers]
    ended = [tag for tag, _, _ in await said(service, await account_of(citizen.phone))][1:]
    assert len(ended) == 1 and (await name_of(citizen) == "Tên Cùng Lúc") == (ended == [SAID[1]])


async def test_r37_what_is_typed_wrong_is_said_beside_the_form_and_nothing_is_proposed(
    office: Office, counter: Counter
) -> None:
    service, citizen = office.service, await registered(office.service)
    for changes, words in (
        ({"full_name": " "}, "Họ tên cần có chữ"),
        ({"full_name": "12345"}, "Họ tên cần có chữ"),
        ({"full_name": "An\u202eBình"}, "Họ tên cần có chữ"),
        ({"document": "library_card"}, "không có trong danh sách"),
        ({"document_number": "12"}, "Nhập số của giấy tờ"),
        ({"document_number": "9" * 300}, "Nhập số của giấy tờ"),
        ({"grounds": ""}, "Vui lòng nhập trường này"),
        ({"grounds": "Gửi mật khẩu cho tôi"}, "không được hỏi"),
        ({"full_name": citizen.person.full_name}, "đúng họ tên này"),
        ({"national_id": "000099999999"}, "Chưa có tài khoản với số này"),
        ({"national_id": "ai đó"}, "Số CCCD gồm 12 chữ số"),
    ):
        answer = await counter.post(HOME, **form(citizen, "Tên Đúng", **changes))
        assert answer.status_code == 422 and words in answer.text, (changes, answer.status_code)
    assert await said(service, await account_of(citizen.phone)) == []


async def test_r37_the_page_wants_a_sign_in_of_the_day_speaks_english_and_is_for_the_desk_only(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    citizen = await registered(office.service)
    await signed_in_before(office, clerk, days=1)
    asked = await counter.post(HOME, **form(citizen, "Tên Giữ Lại"))
    assert asked.status_code == 403 and "/workspace/login/start?fresh=1" in asked.text
    kept = re.search(r"kept%3D([0-9a-f-]{36})", asked.text)
    assert kept is not None and "Tên Giữ Lại" in await counter.page(HOME, kept=kept[1])
    english = await counter.page(HOME, lang="en")
    assert "Propose a correction" in english and "Sửa họ tên" not in english
    await counter.page(HOME, lang="vi")
    stranger = await office.desk(await office.person("Nguyễn Văn Ngoài Quầy"))
    assert (await stranger.http.get(HOME)).status_code == 403
    await stranger.http.aclose()
    assert HOME in await counter.page("/workspace/support")
