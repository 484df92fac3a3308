"""What one clerk does for whoever asks for help: looks, thaws, has sent again; never a code (rule 1108; case R37)."""

from __future__ import annotations

import asyncio
import re
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

from backend.account import Account
from backend.accounts import hotline
from backend.journal import Entry
from backend.support import cases, desks, mails
from backend.support.models import CaseMail
from backend.throttle import Budget
from tests.citizen import Citizen
from tests.mobile_api.test_joins import a_name, account_of, items
from tests.mobile_api.test_pushes import addressed, pushes
from tests.service import Service
from tests.workspace.counter import Counter
from tests.workspace.office import Office, Somebody
from tests.workspace.test_fresh import signed_in_before

pytestmark = [
    pytest.mark.parametrize("service", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("nothing_counted"),
]
HOME = "/workspace/support/person"
WHY = "Đã đối chiếu CCCD tại quầy"


@pytest_asyncio.fixture(loop_scope="session")
async def nothing_counted(service: Service) -> None:
    async with service.db.write() as tx:
        await tx.execute(delete(Budget))


async def facts(service: Service, whose: UUID, tag: str) -> list[tuple[UUID | None, str]]:
    async with service.db.read() as tx:
        wanted = select(Entry).where(Entry.subject == whose, Entry.tag == tag).order_by(Entry.seq)
        return [(UUID(str(row.by)) if row.by else None, str(row.fact)) for row in await tx.scalars(wanted)]


async def notice_of(citizen: Citizen, kind: str) -> list[str]:
    return [one["title"] for one in await items(citizen.phone, "/v1/notices") if one["kind"] == kind]


def codes(citizen: Citizen) -> list[str]:
    """The codes that came to the person's number, oldest first."""
    sent = [one.text for one in citizen.service.inbox.sms if one.to == citizen.e164]
    return [found[1] for text in reversed(sent) if (found := re.search(r"la (\d{6}),", text))]


async def test_r37_a_clerk_sees_somebody_masked_and_what_was_typed_is_counted(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    citizen = await Citizen.new(office.service, full_name=a_name()).register()
    page = (await counter.post(HOME, act="find", national_id=citizen.person.national_id)).text
    assert "Không bị khóa" in page and citizen.person.full_name not in page and citizen.number not in page
    assert "Mở khóa" not in page and "Gửi lại mã đang chờ" in page
    looked = await facts(office.service, await account_of(citizen.phone), "support.person_looked_up")
    assert [by for by, _ in looked] == [clerk.account_id]
    unknown = await counter.post(HOME, act="find", national_id="000099999999")
    assert unknown.status_code == 422 and "Chưa có tài khoản với số này" in unknown.text
    for typed in ("", "một hai ba", "0" * 300):
        assert (await counter.post(HOME, act="find", national_id=typed)).status_code == 422
    assert (await counter.post(HOME, act="burn", national_id="1")).status_code == 400


async def test_r37_a_frozen_account_is_thawed_with_a_reason_that_the_person_reads(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service, citizen = office.service, await Citizen.new(office.service).register()
    number, whose = citizen.person.national_id, await account_of(citizen.phone)
    async with service.db.write() as tx:
        assert await hotline.freeze(tx, service.kit, number, reason="Báo mất máy", now=service.clock.now())
    assert "Đang tạm khóa" in (await counter.post(HOME, act="find", national_id=number)).text
    for reason, words in (("", "Vui lòng nhập"), ("Gửi mã OTP cho tôi", "không được hỏi")):
        refused = await counter.post(HOME, act="thaw", national_id=number, reason=reason)
        assert refused.status_code == 422 and words in refused.text and "Đang tạm khóa" in refused.text
    done = await counter.post(HOME, act="thaw", national_id=number, reason=WHY)
    assert done.status_code == 200 and "Đã mở khóa" in done.text and "Không bị khóa" in done.text
    again = await counter.post(HOME, act="thaw", national_id=number, reason=WHY)
    assert again.status_code == 404 and "không ở trạng thái tạm khóa" in again.text
    ((by, fact),) = await facts(service, whose, "account.thawed")
    assert by == clerk.account_id and "quầy" not in fact
    async with asyncio.timeout(5):
        while not any("mo khoa" in one.text for one in service.inbox.sms if one.to == citizen.e164):
            await asyncio.sleep(0.02)
    service.pass_time(seconds=61)
    await citizen.sign_in()
    (told,) = [one for one in await items(citizen.phone, "/v1/notices") if one["kind"] == "account_thawed"]
    assert told["body"].endswith(WHY)


async def test_r37_the_waiting_code_goes_to_the_person_once_more_and_no_clerk_sees_it(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service, citizen = office.service, await Citizen.new(office.service).register()
    number, whose = citizen.person.national_id, await account_of(citizen.phone)
    none = await counter.post(HOME, act="code", national_id=number)
    assert none.status_code == 404 and "không có mã để gửi lại" in none.text
    begun = (await citizen.knock()).json()
    code = await citizen.code()
    soon = await counter.post(HOME, act="code", national_id=number)
    assert soon.status_code == 429, "the pause between two messages is the person's own"
    service.pass_time(seconds=61)
    before = len(codes(citizen))
    sent = await counter.post(HOME, act="code", national_id=number)
    assert sent.status_code == 200 and code not in sent.text and "được gửi lại" in sent.text
    async with asyncio.timeout(5):
        while len(codes(citizen)) == before:
            await asyncio.sleep(0.02)
    assert codes(citizen)[-1] == code, "the same code, and the same guesses"
    answer = await citizen.phone.open(f"/v1/logins/{begun['id']}/otp", {"code": code})
    assert answer.status_code == 200
    citizen.phone.keep(answer.json())
    ((by, fact),) = await facts(service, whose, "support.code_sent_again")
    assert by == clerk.account_id and code not in fact
    assert await notice_of(citizen, "desk_helped") == ["Cán bộ hỗ trợ đã cho gửi lại mã xác thực"]


async def test_r37_unread_notices_are_pushed_once_more(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service, citizen = office.service, await Citizen.new(office.service).register()
    number, whose = citizen.person.national_id, await account_of(citizen.phone)
    await addressed(citizen.phone, citizen.number)
    await citizen.refresh()
    await citizen.second_number()
    async with asyncio.timeout(5):
        while pushes(citizen) != ["method_added"]:
            await asyncio.sleep(0.02)
    done = await counter.post(HOME, act="notices", national_id=number)
    assert done.status_code == 200 and "Đã gửi lại thông báo" in done.text
    async with asyncio.timeout(5):
        while pushes(citizen) != ["desk_helped", "method_added", "method_added"]:
            await asyncio.sleep(0.02)
    assert [by for by, _ in await facts(service, whose, "support.notices_pushed_again")] == [clerk.account_id]
    assert await notice_of(citizen, "desk_helped") == ["Cán bộ hỗ trợ đã cho gửi lại thông báo"]
    for _ in range(2):
        assert (await counter.post(HOME, act="notices", national_id=number)).status_code == 200
    assert (await counter.post(HOME, act="notices", national_id=number)).status_code == 429
    for one in await items(citizen.phone, "/v1/notices"):
        await citizen.phone.call("POST", f"/v1/notices/{one['id']}/read")
    nothing = await counter.post(HOME, act="notices", national_id=number)
    assert nothing.status_code == 404 and "đã đọc mọi thông báo" in nothing.text


async def test_r37_nobody_helps_themselves_and_an_act_wants_a_sign_in_of_the_day(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service, own = office.service, clerk.persona.national_id
    async with service.db.write() as tx:
        mine = update(Account).where(Account.id == clerk.account_id)
        await tx.execute(mine.values(recovery_frozen_at=service.clock.now()))
    for act in ("thaw", "code", "notices"):
        answer = await counter.post(HOME, act=act, national_id=own, reason=WHY)
        assert answer.status_code == 403 and "tự xử lý tài khoản của chính mình" in answer.text, act
    await signed_in_before(office, clerk, days=1)
    asked = await counter.post(HOME, act="thaw", national_id=own, reason=WHY)
    assert asked.status_code == 403 and "/workspace/login/start?fresh=1" in asked.text
    assert "Giúp một người" in (await counter.post(HOME, act="find", national_id=own)).text
    stranger = await office.desk(await office.person("Nguyễn Văn Đứng Ngoài"))
    assert (await stranger.http.get(HOME)).status_code == 403
    await stranger.http.aclose()


async def test_r37_the_last_mail_of_a_case_is_sent_once_more_to_the_same_address(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service, now = office.service, office.service.clock.now()
    async with service.db.write() as tx:
        desk = await desks.first(tx)
        said = {"subject": "Xin giúp", "text": "Không vào được.", "origin": "mail", "by": None}
        case = await cases.add(tx, service.kit, desk, mail_address="an@truong.example", now=now, **said)  # type: ignore[arg-type]
        path = f"/workspace/support/{case.id}"
    assert "Gửi lại thư gần nhất" in await counter.page(path)
    assert (await counter.post(path, act="mail")).status_code == 404, "there is none yet"
    async with service.db.write() as tx:
        to, done = "an@truong.example", "Đã xong."
        mails.owe(tx, service.kit, desk, to=to, subject=done, text=done, now=now, case_id=case.id)
        await tx.flush()
        await tx.execute(update(CaseMail).where(CaseMail.case_id == case.id).values(sent_at=now))
    for _ in range(2):  # the second finds the first still on its way
        assert (await counter.post(path, act="mail")).status_code == 303
    async with service.db.read() as tx:
        rows = list(await tx.scalars(select(CaseMail).where(CaseMail.case_id == case.id)))
        opened = [service.kit.keys.open("support_mails.recipient", one.id, one.recipient) for one in rows]
        bodies = {service.kit.keys.open("support_mails.body", one.id, one.body) for one in rows}
        entry = select(Entry).where(Entry.tag == "support.mail_sent_again", Entry.fact.contains(str(case.id)))
        assert [one.by for one in await tx.scalars(entry)] == [clerk.account_id] * 2
    assert opened == ["an@truong.example"] * 2 and len(bodies) == 1
    assert (await counter.post(path, act="mail")).status_code == 303
    assert (await counter.post(path, act="mail")).status_code == 429, "nobody's mailbox is flooded"
