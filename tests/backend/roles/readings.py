"""What a test reads of its world: rows as they are, and pages as somebody sees them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from backend.db import Database
from backend.journal import Entry
from backend.kit import Kit
from backend.outbox.models import Delivery
from backend.roles import dossier, own, posts
from backend.roles import draft as drafts
from backend.roles.models import Role, RoleRequest
from backend.roles.views import OwnRequest, RequestView, RoleView
from backend.support import notices


class Readings:
    """The reading half of the world."""

    db: Database
    kit: Kit
    now: datetime
    units: dict[str, UUID]
    people: dict[str, UUID]

    async def roles(self, name: str) -> list[Role]:
        """Every role row of a person, oldest first."""
        async with self.db.read() as tx:
            query = select(Role).where(Role.account_id == self.people[name]).order_by(Role.id)
            return list(await tx.scalars(query))

    async def seen_by(self, name: str, request_id: UUID) -> RequestView:
        """The request as the manager `name` reads it."""
        async with self.db.read() as tx:
            return await dossier.view(tx, self.kit, request_id, self.people[name], now=self.now)

    async def own(self, name: str, request_id: UUID) -> OwnRequest:
        """The request as the phone of `name` reads it."""
        async with self.db.read() as tx:
            return await own.one_of_mine(tx, self.kit, request_id, self.people[name], now=self.now)

    async def roles_seen(self, name: str) -> list[RoleView]:
        """The roles as the phone of `name` reads them."""
        async with self.db.read() as tx:
            return await posts.current(tx, self.kit, self.people[name])

    async def told(self, name: str) -> list[str]:
        """The bodies of the notices that `name` can read now, oldest first."""
        async with self.db.read() as tx:
            shown = await notices.of(tx, self.kit, self.people[name], lang="vi", now=self.now)
        return [one.body for one in reversed(shown)]

    def fields(self, role: Role) -> dict[str, str]:
        """The form values of a role."""
        return drafts.fields_of(self.kit, role)

    async def states(self, name: str) -> list[str]:
        """`unit:state` of every role row, oldest first."""
        codes = {unit_id: code for code, unit_id in self.units.items()}
        return [f"{codes[role.unit_id]}:{role.state}" for role in await self.roles(name)]

    async def request(self, request_id: UUID) -> RoleRequest:
        """The request as it is."""
        async with self.db.read() as tx:
            return (await tx.execute(select(RoleRequest).where(RoleRequest.id == request_id))).scalar_one()

    async def deliveries(self, name: str) -> list[Delivery]:
        """Everything on its way about a person, in order of version."""
        async with self.db.read() as tx:
            query = (
                select(Delivery).where(Delivery.account_id == self.people[name]).order_by(Delivery.version)
            )
            return list(await tx.scalars(query))

    async def tags(self) -> list[str]:
        """The journal's tags in order."""
        async with self.db.read() as tx:
            return list(await tx.scalars(select(Entry.tag).order_by(Entry.seq)))
