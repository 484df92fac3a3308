"""Guards whose removal no other test noticed: each of these fails without its own."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from backend import flows
from backend.account import Account
from backend.accounts.codes import codes
from backend.devices.models import Session
from backend.flows import Flow
from tests.citizen import Citizen
from tests.parts.client import client
from tests.phone import Phone
from tests.service import Service
from tests.signer import facts
from tests.workspace.office import Office, signed_in

NEW = "Vỹ Dạ thôn 1932!"


async def changed(service: Service, account: Any, **values: Any) -> None:
    """Write into the row of an account."""
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == account).values(**values))


async def account_of(service: Service, phone: Phone) -> Account:
    """The account that the phone is signed in to."""
    async with service.db.read() as tx:
        session = await tx.scalar(select(Session).where(Session.jkt == thumbprint(phone)))
        assert session is not None
        return await tx.get_one(Account, session.account_id)


def thumbprint(phone: Phone) -> str:
    """How the phone's key is named (RFC 7638)."""
    return str(phone.key.thumbprint())


async def test_a_phones_token_is_no_cookie_of_the_workspace(service: Service) -> None:
    office = Office(service)
    await office.open()
    phone = await service.sign_in(office.chi.persona)
    token = phone.session["access_token"]
    assert (await phone.call("GET", "/v1/me")).status_code == 200
    async with client(service.url) as http:
        nobody = await http.get("/workspace")
        http.cookies.set("ngomon", token)
        answer = await http.get("/workspace")
    assert (answer.status_code, answer.headers.get("location")) == (
        nobody.status_code,
        nobody.headers.get("location"),
    )
    assert answer.status_code == 303 and "Lê Thị Chi" not in answer.text


async def test_a_frozen_account_does_not_come_into_the_workspace(service: Service) -> None:
    office = Office(service)
    await office.open()
    await changed(service, office.chi.account_id, frozen_at=service.clock.now())
    async with client(service.url) as http:
        page = await signed_in(http, office.chi.persona)
        assert "ngomon" not in http.cookies, page.text
        assert (await http.get("/workspace")).status_code == 303
    assert (await facts(service, "login.refused"))[-1]["reason"] == "account_frozen", "and the journal knows"
    await changed(service, office.chi.account_id, frozen_at=None)
    async with client(service.url) as http:
        await signed_in(http, office.chi.persona)
        assert (await http.get("/workspace")).status_code == 200


@pytest.mark.parametrize("kind", ["registration", "recovery"])
async def test_the_code_of_a_decoy_is_never_right(service: Service, kind: str) -> None:
    if kind == "registration":
        known = await Citizen.new(service).register()
        stranger = Citizen.new(service)
        stranger.person = known.person
        stranger.subscribe(stranger.number)
        at = f"/v1/registrations/{(await stranger.begin()).json()['id']}"
        phone = stranger.phone
    else:
        phone = service.phone()
        begun = await phone.open("/v1/recoveries", {"national_id": "000098765477"})
        at = f"/v1/recoveries/{begun.json()['id']}"
    await service.settled()
    async with service.db.read() as tx:
        waiting = (await tx.scalars(select(Flow.id).where(Flow.jkt == thumbprint(phone)))).one()
        flow = await flows.FIND.one(tx, flow=waiting)
        code = await codes.of_flow(tx, flow)
    answer = await phone.open(f"{at}/otp", {"code": codes.text_of(service.kit, code, flow)})
    assert (answer.status_code, answer.json()["code"]) == (422, "otp_wrong"), answer.text


async def test_an_answer_of_the_e_id_that_comes_after_its_time_is_refused(service: Service) -> None:
    phone, person = service.phone(), service.person()
    begun = await phone.begin()
    service.pass_time(seconds=service.kit.limits.state_lifetime + 1)
    back = await service.consent(begun["authorization_url"], person)  # fresh: only the state is too old
    answer = await phone.bring(begun["id"], back)
    assert (answer.status_code, answer.json()["code"]) == (403, "login_refused")
    begun = await phone.begin()
    service.pass_time(seconds=service.kit.limits.state_lifetime - 10)
    back = await service.consent(begun["authorization_url"], person)
    assert (await phone.bring(begun["id"], back)).status_code == 200


async def test_a_recovery_that_was_frozen_after_the_code_sets_no_password(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    account = await account_of(service, citizen.phone)
    phone = service.phone()
    begun = await phone.open("/v1/recoveries", {"national_id": citizen.person.national_id})
    at = f"/v1/recoveries/{begun.json()['id']}"
    assert (await phone.open(f"{at}/otp", {"code": await citizen.code()})).json()["step"] == "password"
    await changed(service, account.id, recovery_frozen_at=service.clock.now())
    answer = await phone.open(f"{at}/password", {"password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (403, "recovery_refused")
    assert (await citizen.phone.call("GET", "/v1/me")).status_code == 200, "nobody was put out"
    await changed(service, account.id, recovery_frozen_at=None)
    assert (await phone.open(f"{at}/password", {"password": NEW})).status_code == 200


async def test_a_session_of_a_closed_account_opens_nothing(service: Service) -> None:
    phone = await service.sign_in()
    account = await account_of(service, phone)
    await changed(service, account.id, status="closed")
    answer = await phone.call("GET", "/v1/me")
    await changed(service, account.id, status="active")
    assert (answer.status_code, answer.json()["code"]) == (403, "account_closed"), answer.text


async def test_a_session_without_the_slot_opens_nothing(service: Service) -> None:
    phone = await service.sign_in()
    account = await account_of(service, phone)
    for taken in ({"epoch": account.epoch + 1}, {"active_session_id": None}):
        await changed(service, account.id, **taken)
        answer = await phone.call("GET", "/v1/me")
        await changed(service, account.id, epoch=account.epoch, active_session_id=account.active_session_id)
        assert answer.status_code == 401, taken
        assert (answer.json()["code"], answer.json()["reason"]) == ("session_revoked", "slot_lost")
    assert (await phone.call("GET", "/v1/me")).status_code == 200
