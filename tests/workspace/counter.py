"""Somebody who works at a support desk, at a browser without scripts."""

from __future__ import annotations

from typing import Any

import httpx2
from sqlalchemy import delete

from backend.support import desks
from backend.support.models import JoinProposal
from backend.throttle import Budget
from tests.phone import Phone
from tests.workspace.office import TOKEN, Desk, Office, Somebody

HOME = "/workspace/support"
DESK = {"name": "Đội hỗ trợ", "mailbox": "hotro@hue.example", "phone": "0234 3000 000"}


class Counter(Desk):
    """A clerk at a browser without scripts."""

    async def post(self, path: str, **form: Any) -> httpx2.Response:
        """A form of the desk's pages."""
        found = TOKEN.search(await self.page(HOME))
        assert found is not None
        return await self.send(path, form, token=found.group(1))


async def asks(office: Office, phone: Phone | None = None) -> tuple[Phone, dict[str, Any]]:
    phone = phone or await office.service.sign_in()
    body = {"subject": "Không ký số được", "text": "Trang báo lỗi."}
    answer = await phone.call("POST", "/v1/support-cases", body)
    assert answer.status_code == 201, answer.text
    return phone, answer.json()


async def at_the_only_desk(office: Office) -> Somebody:
    """Somebody who works at a desk and manages nothing; whatever desks there were before are closed."""
    service = office.service
    made = await office.person("Phan Thị Bàn")
    async with service.db.write() as tx:
        await tx.execute(delete(Budget))
        await tx.execute(delete(JoinProposal))
        for desk in await desks.listed(tx):
            await desks.remove(tx, service.kit, desk.code, now=service.clock.now())
        await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
        await desks.hire(tx, service.kit, "HUE", made.persona.national_id, now=service.clock.now())
    return made
