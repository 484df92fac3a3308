"""A thing that is done in steps: it lives some minutes, names its next step, and ends once (rule 110).

Working data is encrypted; a flow belongs to the device key that began it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import String, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.crypto import KeyRing, Unreadable
from backend.db import Base, UtcDateTime, changed_one, new_id
from backend.errors import Conflict, NotFound
from backend.sealed import Whose, sealed

Data = TypeVar("Data", bound=msgspec.Struct)
# Every step there is: docs/api.md tells the app what to do at each of them, for a 409 may name any of them.
Step = Literal[
    "authorize", "exchange", "phone", "otp", "password", "setting",
    "sign", "checking", "confirm", "telling", "done", "ended",
]  # fmt: skip

started: Counter[str] = Counter()  # by this process: what came to nothing leaves no other trace


class FlowNotFound(NotFound):
    """No such flow, another device's flow, or one whose time is over."""

    code = "flow_not_found"
    title = "Phiên thao tác không tồn tại hoặc đã hết hạn, vui lòng bắt đầu lại"


class FlowStepMismatch(Conflict):
    """Another step is due; `step` names it."""

    code = "flow_step_mismatch"
    title = "Bước này chưa đến lượt hoặc đã hoàn thành"


class Flow(Base):
    """One flow and the step that is due."""

    __tablename__ = "flows"
    whose = Whose("account_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(30))
    step: Mapped[str] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(default=1)
    jkt: Mapped[str | None] = mapped_column(String(64))
    account_id: Mapped[UUID | None] = mapped_column(index=True)
    data: Mapped[bytes] = sealed(
        passing=True, withheld="it lives for minutes, and what it says is not proved yet"
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def start(
    tx: AsyncSession,
    keys: KeyRing,
    *,
    kind: str,
    step: Step,
    data: msgspec.Struct,
    jkt: str | None,
    lifetime: int,
    now: datetime,
    flow_id: UUID | None = None,
    account_id: UUID | None = None,
) -> Flow:
    """Begin a flow at `step` for the holder of the device key `jkt`."""
    flow = Flow(
        id=flow_id or new_id(),
        kind=kind,
        step=step,
        version=1,
        jkt=jkt,
        account_id=account_id,
        created_at=now,
        expires_at=now + timedelta(seconds=lifetime),
    )
    flow.data = _sealed(keys, flow.id, data)
    tx.add(flow)
    started[kind] += 1
    return flow


async def find(
    tx: AsyncSession,
    flow_id: UUID,
    *,
    kind: str,
    jkt: str | None,
    now: datetime,
    step: Step | None = None,
) -> Flow:
    """The live flow of this kind and key, at `step` if that is named; raises FlowNotFound, FlowStepMismatch."""
    flow = (
        await tx.execute(select(Flow).where(Flow.id == flow_id).execution_options(populate_existing=True))
    ).scalar_one_or_none()
    if flow is None or flow.kind != kind or flow.jkt != jkt or flow.expires_at <= now:
        raise FlowNotFound
    if step is not None:
        expect(flow, step)
    return flow


def expect(flow: Flow, step: Step) -> None:
    """Raises FlowStepMismatch unless `step` is the one that is due."""
    if flow.step != step:
        raise FlowStepMismatch(step=flow.step)


def data_of(flow: Flow, keys: KeyRing, kind: type[Data]) -> Data:
    """The decrypted working data; raises FlowNotFound when its key was given up meanwhile."""
    try:
        text = keys.open("flows.data", flow.id, flow.data)
    except Unreadable as error:
        raise FlowNotFound from error
    return msgspec.json.decode(text, type=kind)


async def advance(
    tx: AsyncSession,
    keys: KeyRing,
    flow: Flow,
    *,
    to: Step,
    data: msgspec.Struct | None = None,
    account_id: UUID | None = None,
) -> None:
    """Move to the next step; one mover wins, the others get FlowStepMismatch (rule 204)."""
    values: dict[str, Any] = {"step": to, "version": flow.version + 1}
    if data is not None:
        values["data"] = _sealed(keys, flow.id, data)
    if account_id is not None:
        values["account_id"] = account_id
    moved = (
        update(Flow)
        .where(Flow.id == flow.id, Flow.step == flow.step, Flow.version == flow.version)
        .values(**values)
    )
    if not await changed_one(tx, moved):
        current = await tx.scalar(select(Flow.step).where(Flow.id == flow.id))
        raise FlowStepMismatch(step=current or "done")
    await tx.refresh(flow)


async def sweep(tx: AsyncSession, *, now: datetime) -> None:
    """Forget flows whose time is over."""
    await tx.execute(delete(Flow).where(Flow.expires_at < now - timedelta(hours=1)))


def _sealed(keys: KeyRing, flow_id: UUID, data: msgspec.Struct) -> bytes:
    return keys.seal("flows.data", flow_id, msgspec.json.encode(data).decode())
