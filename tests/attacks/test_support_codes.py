"""A code that a stranger had made for telephoning: what is said of it before the desk has written (TH01)."""

from __future__ import annotations

from uuid import UUID

import pytest

from backend.accounts.identity import numbers
from backend.support import cases, desks
from backend.support.cases import Clerk, Draft
from tests.mobile_api.test_support import QUESTION, asked, check, helped
from tests.phone import Phone
from tests.service import Service

__all__ = ["helped"]
FORM = "[{unit}#DVC]"


async def hired(service: Service) -> Clerk:
    """Somebody who works at the desk."""
    person = service.person()
    phone = await service.sign_in(person)
    async with service.db.write() as tx:
        await desks.hire(tx, service.kit, "HUE", person.national_id, now=service.clock.now())
        by = await account_of(phone)
        return Clerk(by, await numbers.blinds_of(tx, service.kit, by))


async def account_of(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])


async def test_th01_a_code_that_somebody_made_for_telephoning_does_not_pass_for_the_desks(
    helped: Service,
) -> None:
    stranger, called = await helped.sign_in(), await helped.sign_in()
    made = await asked(helped, stranger)
    code, case = str(made["code"]), UUID(str(made["id"]))
    told = (await check(helped, code)).json()
    assert told["genuine"] is True and told["desk_wrote"] is False
    assert told["phone"], "whom to call instead"
    own, foreign = (await check(helped, code, stranger)).json(), (await check(helped, code, called)).json()
    assert (own["for_you"], foreign["for_you"]) == (True, False)
    assert "desk_wrote" not in own and "desk_wrote" not in foreign
    again = await stranger.call(
        "POST", "/v1/support-cases", QUESTION
    )  # to write more is not the desk's writing
    assert (await check(helped, str(again.json()["code"]))).json()["desk_wrote"] is False
    clerk = await hired(helped)
    async with helped.db.write() as tx:
        now = helped.clock.now()
        await cases.answer(tx, helped.kit, case, "Đã sửa xong.", clerk=clerk, form=FORM, now=now)
    assert set((await check(helped, code)).json()) == {"genuine", "desk", "mailbox", "phone", "valid_until"}


@pytest.mark.parametrize("origin", ["mail", "takeover", "notice"])
async def test_th01_only_a_clerks_word_is_the_desks(helped: Service, origin: str) -> None:
    async with helped.db.write() as tx:
        now, desk = helped.clock.now(), await desks.first(tx)
        made = await cases.add(
            tx, helped.kit, desk, subject="Hỏi", text="Hỏi", origin=origin, by=None, now=now
        )
        cases.of_person(tx, helped.kit, made, "Hỏi nữa", now=now)
    assert (await check(helped, made.code)).json()["desk_wrote"] is False


async def test_th01_a_code_that_the_desk_has_opened_is_the_desks(helped: Service) -> None:
    clerk, called = await hired(helped), await helped.sign_in()
    async with helped.db.write() as tx:
        made = await cases.open_for(
            tx,
            helped.kit,
            Draft("Hồ sơ", "Chúng tôi gọi lại."),
            clerk=clerk,
            account_id=await account_of(called),
            mail_address=None,
            form=FORM,
            now=helped.clock.now(),
        )
    told = (await check(helped, made.code)).json()
    assert set(told) == {"genuine", "desk", "mailbox", "phone", "valid_until"}
