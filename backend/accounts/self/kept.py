"""Ways in that were kept shut when the owner first came: confirmed by the owner, or gone in time.

Source: rule 104. A junk SIM in somebody's name is in the subscriber registry too, so the
registry's word keeps a way in and does not open it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Certificate, Identity, Phone
from backend.accounts.self import methods, mine
from backend.accounts.ways_in import assurance
from backend.caller import Who
from backend.facts import MethodConfirmed
from backend.kit import Kit


async def confirm(tx: AsyncSession, kit: Kit, who: Who, method_id: UUID, *, now: datetime) -> None:
    """Open a kept way in; one that is open already stays so. Raises MethodNotFound, InsufficientAssurance."""
    account = await mine.held(tx, who)
    assurance.demand_proved(who, kit.limits, now=now)
    ways = await methods.ways_of(tx, account.id, now)
    row = methods.named(ways, account, method_id)
    if isinstance(row, Identity) or row.kept_until is None:
        return
    row.kept_until = None
    kind = methods.PASSWORD
    if isinstance(row, Phone):
        row.is_main, kind = len(ways.open_phones) == 1, methods.PHONE  # the number itself is open by now
        account.version += 1
    elif isinstance(row, Certificate):
        kind = methods.CERTIFICATE
    fact = MethodConfirmed(subject=account.id, method=method_id, kind=kind)
    kit.journal.record(tx, fact, by=account.id, now=now)


async def end_unconfirmed(tx: AsyncSession, *, now: datetime) -> None:
    """End what nobody has confirmed in time; it opens nothing since the owner came. A password is forgotten."""
    for kind in (Phone, Certificate):
        late = update(kind).where(kind.kept_until <= now, kind.ended_at.is_(None)).values(ended_at=now)
        await tx.execute(late.execution_options(synchronize_session=False))
