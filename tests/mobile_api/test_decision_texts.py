"""The purpose `notices_by_sms` governs something: whether a decision on one's role request comes by text message."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from backend.accounts.identity.numbers import holder_of
from backend.owed.models import Message
from backend.roles import acts, managers, review, starting
from backend.roles.models import RoleRequest
from backend.roles.movements import END
from backend.roles.wish import Draft
from tests.mobile_api.test_roles import a_province, body
from tests.phone import Phone
from tests.service import Service

CONSENT = "/v1/me/consents/notices_by_sms"
PAST_UNDO, PAST_PAUSE = 11, 61


class Applicant:
    """Somebody who asks for a role, and the manager who decides it."""

    def __init__(self, service: Service, phone: Phone, number: str, boss: str) -> None:
        self.service, self.phone, self.number, self.boss = service, phone, number, boss
        self.request = UUID(int=0)

    @classmethod
    async def new(cls, service: Service, *, consents: bool = True) -> Applicant:
        """With a phone of their own, and with or without consent."""
        boss = await a_province(service)
        phone, number = service.phone(), service.mobile_number()
        login, code = await service.to_code_step(phone, service.person(), number)
        done = await phone.open(f"/v1/logins/{login}/otp", {"code": code})
        phone.keep(done.json())
        found = cls(service, phone, number, boss)
        if consents:
            await found.says(given=True)
        await found.asks()
        return found

    async def says(self, *, given: bool) -> None:
        """Allow messages, or no more."""
        answer = await self.phone.call("PUT", CONSENT, {"given": given})
        assert answer.status_code == 200 and answer.json()["basis"] == "consent", answer.text

    async def asks(self) -> None:
        """Ask for a role."""
        asked = await self.phone.call("POST", "/v1/role-requests", body())
        assert asked.status_code == 201, asked.text
        self.request = UUID(asked.json()["id"])

    async def role(self) -> UUID:
        """The role in force."""
        items = (await self.phone.call("GET", "/v1/roles")).json()["items"]
        return next(UUID(one["id"]) for one in items if one["state"] == "active")

    async def decided(self, act: Any, *reason: Any, **more: Any) -> RoleRequest:
        """The manager says something, or takes it back."""
        async with self.service.db.write() as tx:
            by = await holder_of(tx, self.service.kit, self.boss)
            now = self.service.clock.now()
            done = await act(tx, self.service.kit, self.request, *reason, by=by, now=now, **more)
        assert isinstance(done, RoleRequest), done
        return done

    def texts(self) -> list[str]:
        """What the phone got about requests."""
        e164 = "+84" + self.number.removeprefix("0")
        return [one.text for one in self.service.inbox.sms if one.to == e164 and "vai tro" in one.text]

    async def due(self) -> bool:
        """Whether a message is still to leave."""
        async with self.service.db.read() as tx:
            query = select(Message.due_at).where(Message.about == self.request, Message.channel == "sms")
            return await tx.scalar(query.where(Message.due_at.is_not(None))) is not None

    async def later(self, seconds: int = PAST_UNDO) -> None:
        """Time goes by, and whatever is due leaves."""
        self.service.pass_time(seconds=seconds)
        await self.service.app.texts.round()


async def test_a_decision_is_texted_once_the_undo_is_over_to_whoever_allowed_it(service: Service) -> None:
    asks = await Applicant.new(service)
    await asks.decided(review.approve, version=1)
    await service.app.texts.round()
    assert asks.texts() == [] and await asks.due()
    for _ in range(2):
        await asks.later()
    (text,) = asks.texts()
    assert "da duoc duyet" in text and text.isascii() and len(text) <= 160
    assert "http" not in text and "Noi vu" not in text and not await asks.due()


async def test_without_consent_or_after_its_withdrawal_nothing_leaves(service: Service) -> None:
    silent, withdrawn = await Applicant.new(service, consents=False), await Applicant.new(service)
    for one in (silent, withdrawn):
        await one.decided(review.approve, version=1)
    await withdrawn.says(given=False)
    await withdrawn.later()
    assert silent.texts() == withdrawn.texts() == []
    assert not await silent.due() and not await withdrawn.due(), (
        "nothing waits for a consent that may come later"
    )


async def test_a_word_that_was_taken_back_reaches_nobody_and_the_next_one_does(service: Service) -> None:
    asks = await Applicant.new(service)
    await asks.decided(review.reject, "Sai đơn vị", version=1)
    await asks.decided(review.undo)
    await asks.later()
    assert asks.texts() == []
    await asks.decided(review.send_back, "Thiếu chức danh", version=None)
    await asks.later()
    (text,) = asks.texts()
    assert "can bo sung" in text and "chuc danh" not in text
    path = f"/v1/role-requests/{asks.request}"
    assert (await asks.phone.call("PUT", path, body())).status_code == 200
    await asks.decided(review.reject, "Sai đơn vị", version=None)
    await asks.later()
    assert len(asks.texts()) == 2 and "khong duoc duyet" in asks.texts()[0]


async def test_a_centre_that_is_down_gets_it_when_it_is_up_again(service: Service) -> None:
    asks = await Applicant.new(service)
    await asks.decided(review.approve, version=1)
    service.inbox.sms_down = True
    try:
        for seconds in (PAST_UNDO, PAST_PAUSE, PAST_PAUSE):
            await asks.later(seconds)
            assert await asks.due()
    finally:
        service.inbox.sms_down = False
    await asks.later(PAST_PAUSE)
    assert len(asks.texts()) == 1 and not await asks.due()


async def test_to13_what_may_have_left_is_not_sent_again(service: Service) -> None:
    asks = await Applicant.new(service)
    await asks.decided(review.approve, version=1)
    service.inbox.sms_silent = True
    try:
        await asks.later()
    finally:
        service.inbox.sms_silent = False
    assert len(asks.texts()) == 1
    service.inbox.sms.clear()
    await asks.later(PAST_PAUSE)
    assert asks.texts() == [] and not await asks.due()


async def test_what_was_decided_a_day_ago_is_no_news(service: Service) -> None:
    asks = await Applicant.new(service)
    service.inbox.sms_down = True
    try:
        await asks.decided(review.approve, version=1)
        await asks.later()
        await asks.later(86400)
    finally:
        service.inbox.sms_down = False
    await asks.later(PAST_PAUSE)
    assert asks.texts() == [] and not await asks.due()


async def test_what_a_manager_does_unasked_is_no_decision_on_ones_request(service: Service) -> None:
    """Moved by two managers, then ended: the app tells of it, and no message was asked for."""
    asks, other = await Applicant.new(service), service.person("Phan Văn Nhận")
    async with service.db.write() as tx:
        now = service.clock.now()
        await managers.add(tx, service.kit, "R-STC", other.national_id, by=None, now=now)
    await service.sign_in(other)
    await asks.decided(review.approve, version=1)
    await asks.later()
    asks.request = await asks.role()
    asks.request = (await asks.decided(starting.start, Draft(kind="transfer", unit="R-STC"))).id
    asks.boss = other.national_id
    assert (await asks.decided(review.approve, version=None)).status == "approved"
    assert not await asks.due()
    asks.request = await asks.role()
    asks.request = (await asks.decided(acts.act, END, reason="Nghỉ hưu")).id
    assert not await asks.due()
    await asks.later()
    assert len(asks.texts()) == 1


async def test_what_was_taken_back_by_its_owner_meanwhile_is_not_texted(service: Service) -> None:
    asks = await Applicant.new(service)
    await asks.decided(review.send_back, "Thiếu chức danh", version=1)
    path = f"/v1/role-requests/{asks.request}/withdraw"
    assert (await asks.phone.call("POST", path, {})).status_code == 200
    await asks.later()
    assert asks.texts() == [] and not await asks.due()


async def test_of_a_word_and_the_next_one_before_the_first_has_left_the_last_is_texted(
    service: Service,
) -> None:
    asks = await Applicant.new(service)
    await asks.decided(review.send_back, "Thiếu chức danh", version=1)
    answer = await asks.phone.call("PUT", f"/v1/role-requests/{asks.request}", body())
    assert answer.status_code == 200, answer.text
    await asks.decided(review.reject, "Sai đơn vị", version=None)
    await asks.later()
    (text,) = asks.texts()
    assert "khong duoc duyet" in text


async def test_r23_of_three_words_within_ten_seconds_phone_and_notices_hear_the_last(
    service: Service,
) -> None:
    asks = await Applicant.new(service)
    await asks.decided(review.approve, version=1)
    service.pass_time(seconds=3)
    await asks.decided(review.undo)
    service.pass_time(seconds=3)
    await asks.decided(review.reject, "Sai đơn vị", version=None)
    pushed = len(service.inbox.push)
    await asks.later(9)
    assert asks.texts() == [] and await bodies(asks) == []
    await asks.later(1)
    (text,) = asks.texts()
    assert "khong duoc duyet" in text
    (body,) = await bodies(asks)
    assert "không được duyệt" in body and len(service.inbox.push) == pushed


async def bodies(asks: Applicant) -> list[str]:
    """What the notices say of roles and requests."""
    items = (await asks.phone.call("GET", "/v1/notices")).json()["items"]
    return [one["body"] for one in items if one["kind"] in {"role_changed", "request_decided"}]
