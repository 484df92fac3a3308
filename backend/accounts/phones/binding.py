"""Giving an account a phone, in one way: how many accounts a number serves is counted here, in turn (rule 134).

Families share a phone, strangers do not (source 001, 2.1; case A23). Whoever binds a number waits for whoever binds
the same one, so that the count is of what is committed. Lock order: the account's row, or the new account's
identifiers, then the numbers, of several in one order, then what the end of the transaction writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Integer, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.identity import opened_here
from backend.accounts.identity.identity_rows import PHONE, SERVED, Own, bind
from backend.accounts.models import Phone
from backend.caller import Caller
from backend.db import new_id, one_after_another
from backend.errors import FieldError, FieldsInvalid
from backend.flows import Flow, Handle, Kind, Running, Step
from backend.kit import Kit
from backend.statements import Question, by_number, given, listed, named, one_of

NO_LIMIT = 1 << 30  # accounts
Data = TypeVar("Data", bound=msgspec.Struct)


@by_number
def with_served(count: int) -> Question[Any]:
    """A flow, and whether a number, by so many indexes, serves as many others as it may."""
    serves = (one_of("index", count, Phone.blind), Phone.ended_at.is_(None))
    served = select(func.count(Phone.account_id.distinct())).where(*serves).scalar_subquery()
    theirs = exists().where(*serves, Phone.account_id == Flow.account_id)
    is_crowded = and_(served >= given("most", Integer()), ~theirs).label("is_crowded")
    query = select(*flows.COLUMNS, is_crowded).where(Flow.id == given("flow", Flow.id))
    return Question(named("Served", [*Running._fields, "is_crowded"]), query)


async def with_room(
    kind: Kind[Data], tx: AsyncSession, kit: Kit, flow_id: UUID, caller: Caller, step: Step, phone: str
) -> tuple[Handle[Data], FieldsInvalid | None]:
    """The caller's flow in which this number is named, and what `refuse_crowded` would say of it."""
    blinds = kit.keys.blinds("phone", phone)
    asked = {"most": kit.limits.accounts_per_phone or NO_LIMIT, **listed("index", blinds)}
    flow, (is_crowded,) = await kind.find_beside(
        tx, kit, flow_id, caller, step, with_served(len(blinds)), **asked
    )
    return flow, _crowded() if is_crowded else None


async def refuse_crowded(tx: AsyncSession, kit: Kit, phone: str, account_id: UUID | None = None) -> None:
    """Raises FieldsInvalid when the number serves as many others as it may; who has it already keeps it.

    Before a code is sent this spares the message; what holds the count is `bind_phone`.
    """
    most = kit.limits.accounts_per_phone
    if not most:
        return
    blinds = kit.keys.blinds("phone", phone)
    served = {one.account_id for blind in blinds for one in await SERVED.all(tx, number=blind)}
    if account_id not in served and len(served) >= most:
        raise _crowded()


def _crowded() -> FieldsInvalid:
    return FieldsInvalid(
        FieldError("phone", "phone_taken_often", "Số này đã dùng cho nhiều tài khoản, vui lòng dùng số khác")
    )


async def hold(tx: AsyncSession, blinds: Iterable[bytes]) -> None:
    """Be alone with these numbers until the commit: by each key's index, for processes differ in which is newest."""
    await one_after_another(tx, *(f"phone {blind.hex()}" for blind in blinds))


async def counted(tx: AsyncSession, numbers: Iterable[Sequence[bytes]]) -> list[int]:
    """How many accounts each of many numbers serves, a number being its index under every live key."""
    wanted = [tuple(blinds) for blinds in numbers]
    query = select(Phone.blind, func.count(Phone.account_id.distinct())).where(
        Phone.blind.in_({blind for blinds in wanted for blind in blinds}), Phone.ended_at.is_(None)
    )
    rows = await tx.execute(query.group_by(Phone.blind))
    found = {row[0]: int(row[1]) for row in rows}
    return [sum(found.get(blind, 0) for blind in blinds) for blinds in wanted]


async def bind_phone(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    phone: str,
    *,
    now: datetime,
    source: str = "code",
    is_main: bool = True,
) -> UUID:
    """Give the account a phone that a code has just proved; where `source` is subscriber, the carrier too; its row.

    The caller holds the account. Raises FieldsInvalid when the number serves too many by now.
    """
    await tx.flush()  # the account is there before anybody waits for its number
    await hold(tx, kit.keys.blinds("phone", phone))
    row, blinds = new_id(), kit.keys.blinds("phone", phone)
    number = kit.keys.seal("phones.number", row, phone)
    bound = await bind(len(blinds)).touched(
        tx,
        id=row,
        account_id=account_id,
        number=number,
        blind=kit.keys.blind("phone", phone),
        is_main=is_main,
        source=source,
        confirmed_at=now,
        most=kit.limits.accounts_per_phone or NO_LIMIT,
        **listed("index", blinds),
    )
    if not bound:
        raise _crowded()
    opened_here.wrote(tx, account_id, Own(row, PHONE, number, is_main, now))
    return row
