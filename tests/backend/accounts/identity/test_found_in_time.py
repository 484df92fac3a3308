"""What changed while the account was waited for counts, and what was kept too long does not (rule 101)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from backend.account import Account
from backend.accounts.identity import finding, people
from backend.accounts.models import Identity, Phone
from backend.db import Database, new_id
from backend.kit import Kit
from tests.backend.accounts.identity.test_opening import NOW, NUMBERS, evidence


async def test_an_identity_that_was_linked_while_the_account_was_waited_for_is_seen(
    database: Database, kit: Kit
) -> None:
    named = msgspec.structs.replace(evidence(**NUMBERS), subject="s-1")
    async with database.write() as tx:
        account = await people.open_with(tx, kit, evidence(**NUMBERS), now=NOW)
    held, asked = asyncio.Event(), asyncio.Event()

    async def links() -> None:
        async with database.write() as tx:
            await tx.get_one(Account, account.id, with_for_update=True)
            held.set()
            await asked.wait()
            await asyncio.sleep(0.3)  # the other one waits for the account by now
            row = Identity(id=new_id(), account_id=account.id, issuer=named.source, subject="s-1", level=2)
            row.created_at = row.last_used_at = NOW
            tx.add(row)

    linking = asyncio.create_task(links())
    await held.wait()
    asked.set()
    async with database.write() as tx:
        found = await finding.find(tx, kit, named)
        assert found is not None and found.account.id == account.id
        assert found.identity is not None, "linked meanwhile: not linked a second time"
    await linking


@pytest.mark.parametrize(("kept", "there"), [(None, True), (1, True), (-1, False)])
async def test_a_phone_that_was_kept_shut_too_long_is_none(
    database: Database, kit: Kit, kept: int | None, there: bool
) -> None:
    async with database.write() as tx:
        account = await people.open_with(tx, kit, evidence(**NUMBERS), now=NOW)
        phone = Phone(id=new_id(), account_id=account.id, confirmed_at=NOW)
        phone.number = kit.keys.seal("phones.number", phone.id, "+84550000001")
        phone.blind = kit.keys.blind("phone", "+84550000001")
        phone.kept_until = NOW + timedelta(days=kept) if kept is not None else None
        tx.add(phone)
    async with database.read() as tx:
        assert await people.has_phone(tx, account.id, now=NOW) is there
