"""What a hotline asks an operator for: an account is found, shut and opened again (case O23)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from backend.accounts import hotline
from backend.devices import takeover
from backend.errors import FieldsInvalid
from backend.journal import Entry
from backend.support.models import Notice
from tests.service import Service


async def test_o23_a_freeze_ends_every_session_and_the_person_reads_why(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    number, now = person.national_id, service.clock.now
    async with service.db.write() as tx:
        found = await hotline.find(tx, service.kit, number, now=now())
        assert found is not None and found.sessions == {"mobile": 1} and found.frozen_at is None
        assert person.full_name not in found.name and found.phone.count("*") == 4
        with pytest.raises(FieldsInvalid):
            await hotline.freeze(tx, service.kit, number, reason="Gửi mật khẩu cho tôi", now=now())
        assert await hotline.freeze(tx, service.kit, number, reason="Báo mất máy", now=now())
        assert await hotline.freeze(tx, service.kit, number, reason="Báo mất máy", now=now()) is False
        assert await hotline.freeze(tx, service.kit, "000099999999", reason=None, now=now()) is None
        assert await hotline.find(tx, service.kit, "000099999999", now=now()) is None
        again = await hotline.find(tx, service.kit, number, now=now())
        assert again is not None and again.sessions == {} and again.frozen_at is not None
    gone = (await phone.call("GET", "/v1/me")).json()
    assert (gone["code"], gone["reason"]) == ("session_revoked", "account_frozen")
    started = await phone.begin()
    refused = await phone.bring(started["id"], await service.consent(started["authorization_url"], person))
    assert refused.json()["code"] == "account_frozen"
    async with service.db.write() as tx:
        await hotline.thaw(tx, service.kit, number, reason="Đã gặp tại quầy", now=now())
    with pytest.raises(takeover.NotFrozen):
        async with service.db.write() as tx:
            await hotline.thaw(tx, service.kit, number, reason="Đã gặp tại quầy", now=now())
    phone = await service.sign_in(person)
    told = {one["kind"]: one for one in (await phone.call("GET", "/v1/notices")).json()["items"]}
    assert told["account_frozen"]["body"].endswith("Lý do: Báo mất máy")
    assert told["account_thawed"]["title"] == "Tài khoản đã được mở khóa đăng nhập"
    assert told["account_thawed"]["body"].endswith("Lý do: Đã gặp tại quầy")
    async with service.db.read() as tx:
        entries = select(Entry.tag, Entry.fact).where(Entry.subject == found.id).order_by(Entry.seq)
        said = {row.tag: str(row.fact) for row in await tx.execute(entries)}
        own = select(Notice).where(Notice.account_id == found.id)
        notices = {one.kind: str(one.id) for one in await tx.scalars(own)}
    assert "support.person_looked_up" in said
    for tag, kind in (("account.freeze_ordered", "account_frozen"), ("account.thawed", "account_thawed")):
        assert notices[kind] in said[tag] and "quầy" not in said[tag] and "máy" not in said[tag]
