"""A system that already holds everybody, as it should: what a comparison finds in step, without delivering it first."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy import select

from backend.account import Account
from backend.db import new_id
from backend.outbox.models import Link, System
from backend.outside.connectors import Desired
from backend.outside.connectors.learnt import Learnt
from backend.outside.connectors.scim.groups import GROUP
from backend.outside.connectors.scim.user import new_user
from backend.roles import desired
from bench.outbox_town import OutboxTown, put

READ = 500  # people whose state is read at once


async def fill(town: OutboxTown, system: System, url: str) -> dict[UUID, str]:
    """Users and groups straight into the sink, and what we know of them; the sink's name of each person."""
    names: dict[UUID, str] = {}
    members: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    async with httpx2.AsyncClient(base_url=url) as client:
        for start in range(0, len(town.people), READ):
            some = town.people[start : start + READ]
            async with town.db.read() as tx:
                states = await desired.desired(tx, town.kit, some, system)
            for one, state in states.items():
                names[one] = await _made(client, state)
                for group in state.groups:
                    members[group.external_id, group.display_name].append(names[one])
            await _link(town, system, {one: names[one] for one in some})
        for (code, name), inside in members.items():
            body = {"schemas": [GROUP], "externalId": code, "displayName": name}
            made = (await client.post("/Groups", json=body)).json()
            await patch(client, f"/Groups/{made['id']}", "add", "members", [{"value": one} for one in inside])
    return names


async def patch(client: httpx2.AsyncClient, path: str, op: str, what: str, value: Any = None) -> None:
    """One operation, as somebody at the system itself would do it."""
    body = {"Operations": [{"op": op, "path": what, "value": value}]}
    (await client.patch(path, json=body)).raise_for_status()


async def _made(client: httpx2.AsyncClient, state: Desired) -> str:
    answer = await client.post("/Users", json=new_user(state, state.user_name, Learnt()))
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _link(town: OutboxTown, system: System, names: dict[UUID, str]) -> None:
    """As after a delivery of the version that everybody has now."""
    async with town.db.write() as tx:
        query = select(Account.id, Account.role_version).where(Account.id.in_(names))
        versions = {row.id: row.role_version for row in await tx.execute(query)}
        rows = [
            {"id": new_id(), "system_id": system.id, "account_id": one, "remote_id": name,
             "delivered_version": versions[one], "state": "synced", "checked_at": datetime.now(UTC)}
            for one, name in names.items()
        ]  # fmt: skip
        await put(tx, Link, rows)
