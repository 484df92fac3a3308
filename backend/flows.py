"""A thing that is done in steps: it lives some minutes, names its next step, and ends once (rule 110).

Working data is encrypted; a flow belongs to the device key that began it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import String, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.caller import Caller
from backend.counting import count
from backend.crypto import KeyRing, Unreadable
from backend.db import Base, UtcDateTime, new_id
from backend.errors import Conflict, NotFound
from backend.kit import Kit
from backend.retention import Life
from backend.sealed import Whose, sealed
from backend.statements import Act, Question, given

Data = TypeVar("Data", bound=msgspec.Struct)
# Every step there is: docs/api.md tells the app what to do at each of them, for a 409 may name any of them.
Step = Literal[
    "authorize", "exchange", "phone", "otp", "password", "setting",
    "sign", "checking", "confirm", "telling", "done", "ended",
]  # fmt: skip


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
    retention = Life("expires_at", timedelta(hours=1))
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


class Running(NamedTuple):
    """A flow as it stands; what a step changes, `advance` writes."""

    id: UUID
    kind: str
    step: str
    version: int
    jkt: str | None
    account_id: UUID | None
    data: bytes
    created_at: datetime
    expires_at: datetime


class Standing(NamedTuple):
    """The step that a flow has come to."""

    step: str


COLUMNS = tuple(getattr(Flow, name) for name in Running._fields)
BEGIN = Act(insert(Flow))
FIND = Question(Running, select(*COLUMNS).where(Flow.id == given("flow", Flow.id)))
STEP = Question(Standing, select(Flow.step).where(Flow.id == given("flow", Flow.id)))
MOVE = Question(
    Running,
    update(Flow)
    .where(
        Flow.id == given("flow", Flow.id),
        Flow.step == given("from_step", Flow.step),
        Flow.version == given("from_version", Flow.version),
    )
    .values(
        step=given("to", Flow.step),
        version=Flow.version + 1,
        data=func.coalesce(given("new_data", Flow.data), Flow.data),
        account_id=func.coalesce(given("new_account", Flow.account_id), Flow.account_id),
    )
    .returning(*COLUMNS),
)


class Kind(Generic[Data]):
    """A kind of flow: its name, and the shape of what it remembers between its steps.

    An `own` one belongs to the account that began it as well: one device key may serve two accounts after each other.
    """

    def __init__(self, name: str, data: type[Data], *, own: bool = False) -> None:
        self.name, self.data, self.own = name, data, own

    async def start(
        self,
        tx: AsyncSession,
        kit: Kit,
        caller: Caller,
        step: Step,
        data: Data,
        *,
        account_id: UUID | None = None,
        lifetime: int | None = None,
        flow_id: UUID | None = None,
    ) -> Handle[Data]:
        """Begin a flow at `step` for the holder of the caller's device key; it lives as long as most do."""
        row_id = flow_id or new_id()
        count("ngomon_flows", self.name)
        row = Running(
            id=row_id,
            kind=self.name,
            step=step,
            version=1,
            jkt=caller.jkt,
            account_id=caller.me.account_id if self.own else account_id,
            data=_sealed(kit.keys, row_id, data),
            created_at=caller.now,
            expires_at=caller.now + timedelta(seconds=lifetime or kit.limits.flow_lifetime),
        )
        await BEGIN.run(tx, **row._asdict())
        return Handle(tx, kit, caller, self, row)

    async def find(
        self, tx: AsyncSession, kit: Kit, flow_id: UUID, caller: Caller, step: Step | None = None
    ) -> Handle[Data]:
        """The caller's live flow, at `step` if that is named; raises FlowNotFound, FlowStepMismatch."""
        return self._checked(tx, kit, await FIND.maybe(tx, flow=flow_id), caller, step)

    async def find_beside(
        self,
        tx: AsyncSession,
        kit: Kit,
        flow_id: UUID,
        caller: Caller,
        step: Step,
        question: Question[Any],
        **values: Any,
    ) -> tuple[Handle[Data], tuple[Any, ...]]:
        """The same by a question that asks something more of this moment, behind the flow's COLUMNS."""
        row, width = await question.maybe(tx, flow=flow_id, **values), len(COLUMNS)
        found = Running._make(row[:width]) if row is not None else None
        return self._checked(tx, kit, found, caller, step), tuple(row[width:]) if row is not None else ()

    def _checked(
        self, tx: AsyncSession, kit: Kit, row: Running | None, caller: Caller, step: Step | None
    ) -> Handle[Data]:
        if row is None or row.kind != self.name or row.jkt != caller.jkt or row.expires_at <= caller.now:
            raise FlowNotFound
        if self.own and row.account_id != caller.me.account_id:
            raise FlowNotFound
        if step is not None and row.step != step:
            raise FlowStepMismatch(step=row.step)
        return Handle(tx, kit, caller, self, row)


class Handle(Generic[Data]):
    """A live flow in the hands of one transaction of its caller."""

    def __init__(self, tx: AsyncSession, kit: Kit, caller: Caller, kind: Kind[Data], row: Running) -> None:
        self.tx, self.kit, self.caller, self.kind, self.row = tx, kit, caller, kind, row
        self._data: Data | None = None

    @property
    def id(self) -> UUID:
        """What the app calls it by."""
        return self.row.id

    @property
    def now(self) -> datetime:
        """When the call came that this transaction serves."""
        return self.caller.now

    @property
    def account(self) -> UUID:
        """Whose it is, in a flow that is somebody's."""
        assert self.row.account_id is not None
        return self.row.account_id

    @property
    def data(self) -> Data:
        """The decrypted working data; raises FlowNotFound when its key was given up meanwhile."""
        if self._data is None:
            try:
                text = self.kit.keys.open("flows.data", self.row.id, self.row.data)
            except Unreadable as error:
                raise FlowNotFound from error
            self._data = msgspec.json.decode(text, type=self.kind.data)
        return self._data

    async def again(self, tx: AsyncSession, step: Step | None = None) -> Handle[Data]:
        """The same in a later transaction of the same call, under the same conditions."""
        return await self.kind.find(tx, self.kit, self.row.id, self.caller, step)

    def on(self, tx: AsyncSession) -> Handle[Data]:
        """The same in a later transaction, as it was seen: who has moved it meanwhile is found when it advances."""
        later = Handle(tx, self.kit, self.caller, self.kind, self.row)
        later._data = self._data
        return later

    async def advance(self, to: Step, data: Data | None = None, *, account_id: UUID | None = None) -> None:
        """Move to the next step; one mover wins, the others get FlowStepMismatch (rule 204)."""
        row = self.row
        sealed_data = None
        if data is not None:
            sealed_data, self._data = _sealed(self.kit.keys, row.id, data), data
        moved = await MOVE.maybe(
            self.tx,
            flow=row.id,
            from_step=row.step,
            from_version=row.version,
            to=to,
            new_data=sealed_data,
            new_account=account_id,
        )
        if moved is None:
            current = await STEP.maybe(self.tx, flow=row.id)
            raise FlowStepMismatch(step=current.step if current else "done")
        self.row = moved


def _sealed(keys: KeyRing, flow_id: UUID, data: msgspec.Struct) -> bytes:
    return keys.seal("flows.data", flow_id, msgspec.json.encode(data).decode())
