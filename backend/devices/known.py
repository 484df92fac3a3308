"""Which devices an account knows: what strangers use up is not theirs, and a code alone proves more there (TO18).

Only the holder of such a key is answered otherwise, and no stranger holds one: the question tells nobody who is here.
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.devices.models import Session
from backend.facts import FreezeOrdered, MethodRemoved, OwnerCame, PasswordSet, PhoneChanged, TakeoverReported
from backend.flows import Flow
from backend.journal import Entry
from backend.statements import Question, given

# after these nobody may be in whom a stranger's password, number or way in has brought
CHANGES = [
    kind.__struct_config__.tag
    for kind in (OwnerCame, PasswordSet, PhoneChanged, MethodRemoved, TakeoverReported, FreezeOrdered)
]


async def knows_key(
    tx: AsyncSession, account_id: UUID, jkt: str | None, *, left_for_another: bool = False
) -> bool:
    """Whether the account is on the device that has this key (RFC 7638), was until it was signed out there, or has
    just got its password back on it.

    A device that was left before the newest of CHANGES may have been a stranger's: it is not known any more. The
    session that made the change, and was kept, is. One that was `left_for_another` may be lost: it is known only where
    that gives it counts of its own, and nothing that it proves.
    """
    changed = exists().where(
        Entry.subject == account_id, Entry.tag.in_(CHANGES), Entry.at >= Session.ended_at
    )
    ends = ("signed_out", "expired", "replaced") if left_for_another else ("signed_out", "expired")
    left = Session.end_reason.in_(ends) & ~changed
    here = exists().where(
        Session.account_id == account_id, Session.jkt == jkt, Session.end_reason.is_(None) | left
    )
    recovered = exists().where(
        Flow.account_id == account_id, Flow.jkt == jkt, Flow.kind == "recovery", Flow.step == "done"
    )
    return jkt is not None and bool(await tx.scalar(select(or_(here, recovered))))


class Whose(NamedTuple):
    """An account."""

    account_id: UUID


NEWEST = Question(
    Whose,
    select(Session.account_id)
    .where(
        Session.jkt == given("jkt", Session.jkt),
        or_(
            Session.end_reason.is_(None),
            Session.end_reason == "signed_out",
            Session.end_reason == "expired",
            Session.end_reason == "replaced",
        ),
    )
    .order_by(Session.created_at.desc())
    .limit(1),
)


async def whose_key(tx: AsyncSession, jkt: str | None) -> UUID | None:
    """An account that is on the device with this key, or was until it was signed out there or went elsewhere."""
    found = await NEWEST.maybe(tx, jkt=jkt) if jkt is not None else None
    return found.account_id if found is not None else None


async def own_counts(tx: AsyncSession, account_id: UUID | None, jkt: str | None) -> str | None:
    """The key, if the account knows it; what strangers cause is then not counted with what this device does.

    Nobody's account is asked about as well: how long it takes says nothing (case TO14).
    """
    is_known = await knows_key(tx, account_id or UUID(int=0), jkt, left_for_another=True)
    return jkt if is_known else None
