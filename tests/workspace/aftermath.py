"""What became of a person's request: who said what, what the journal keeps, what the systems are told, where the person is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx2
import msgspec
from sqlalchemy import select

from backend.db import new_id
from backend.journal import Entry
from backend.outbox.models import Delivery, System
from backend.roles.models import RequestStep, Role, RoleRequest
from tests.workspace.office import SAME_SITE, TOKEN, Desk, Office

NOBODY = "http://127.0.0.1:9/scim/v2"  # the discard port: nothing listens
DECIDED, WITHDRAWN = "role.request_decided", "role.withdrawn"


class After(msgspec.Struct, frozen=True):
    """Of one request and the person whom it is about; two that are equal show that nothing has changed."""

    status: str
    version: int
    words: tuple[str | None, ...]  # in the order of the steps
    tags: tuple[str, ...]  # of the entries about the person
    told: tuple[int, ...]  # the versions that the systems were told because of it
    homes: tuple[UUID, ...]  # the units of home roles in force


async def after(office: Office, request_id: UUID) -> After:
    """How it stands now."""
    async with office.service.db.read() as tx:
        found = await tx.get_one(RoleRequest, request_id)
        steps = select(RequestStep.decision).where(RequestStep.request_id == request_id)
        entries = select(Entry.tag).where(Entry.subject == found.account_id).order_by(Entry.seq)
        sent = select(Delivery.version).where(Delivery.request_id == request_id).order_by(Delivery.version)
        home = select(Role.unit_id).where(Role.account_id == found.account_id)
        return After(
            found.status,
            found.version,
            tuple(await tx.scalars(steps.order_by(RequestStep.position))),
            tuple(await tx.scalars(entries)),
            tuple(await tx.scalars(sent)),
            tuple(await tx.scalars(home.where(Role.is_home, Role.state == "active"))),
        )


async def a_system(office: Office) -> None:
    """Something that is told of everybody in the office, and never answers."""
    now = office.service.clock.now()
    row = System(id=new_id(), name=f"Văn bản {office.number}", kind="scim", url=NOBODY, created_at=now)
    row.unit_codes = msgspec.json.encode([office.root]).decode()
    async with office.service.db.write() as tx:
        tx.add(row)


async def role_of(office: Office, request_id: UUID) -> UUID:
    """The role that a request began."""
    async with office.service.db.read() as tx:
        found = await tx.scalar(select(Role.id).where(Role.request_id == request_id))
    assert found is not None
    return found


class Hand:
    """Somebody with a page open: the token is read once, as a browser does, and pressed as often as one likes."""

    def __init__(self, desk: Desk, token: str) -> None:
        self.desk, self.token = desk, token

    @classmethod
    async def of(cls, desk: Desk, page: str) -> Hand:
        """The page is looked at now, whatever happens before the press."""
        found = TOKEN.search(await desk.page(page))
        assert found is not None
        return cls(desk, found.group(1))

    async def press(self, path: str, form: dict[str, Any]) -> httpx2.Response:
        """The form of that page."""
        sent = {"_csrf": self.token, **form}
        return await self.desk.http.post(path, data=sent, headers=SAME_SITE)
