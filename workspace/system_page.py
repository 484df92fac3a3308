"""One system: how it answers, what it does not keep, what waits and failed; operators act on it (rules 714, 820)."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.errors import Conflict, Forbidden, NotFound
from backend.kit import Kit
from backend.openness import Openness
from backend.outbox import listing, states, steering, systems
from backend.outbox import queue as outbox
from backend.outbox.models import Delivery, System
from backend.outbox.states import SystemOverview
from backend.outside.clock import Clock
from backend.roles import operating
from backend.roles.operating import Reach
from workspace import forms, fresh
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import page
from workspace.systems import Glance

LISTED = 50
DONE = ("paused", "resumed", "replayed", "skipped", "asked")


class OperatorOnly(Forbidden):
    """Only whoever manages a root acts on the systems that serve it; others see how they are."""

    code = "operator_only"
    title = "Chỉ người quản lý cấp cao nhất mới thao tác được trên hệ thống"


class SystemNotSo(Conflict):
    """The system or the delivery is not in the state in which that can be done."""

    code = "system_not_so"
    title = "Hệ thống hoặc mục này không còn ở trạng thái cho phép thao tác đó"


class OwnDelivery(Forbidden):
    """What a system is to be told about oneself is passed over by somebody else, or by nobody."""

    code = "own_delivery"
    title = "Bạn không thể bỏ qua mục về chính mình; hãy nhờ người quản lý khác xử lý"


class Said(msgspec.Struct, frozen=True):
    """What the page reports after a button."""

    done: str = ""


class SkipForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a delivery is passed over."""

    reason: str = ""


class Standing(msgspec.Struct, frozen=True):
    """One system as its page shows it."""

    overview: SystemOverview
    system: System
    rate: int
    operates: bool
    dead: list[listing.Listed]  # as far as it is about people of an operator's


class SystemController(Controller):
    """The page of one system, and its buttons."""

    path = "/systems/{name:str}"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.system")
    async def show(self, call: NamedDependency[Call[Manager]], name: FromPath[str]) -> Response[str]:
        """States for everybody; what failed and the buttons for operators."""
        said = forms.query(call.request, Said).done
        left = await fresh.left(call, SkipForm, back=place_of(name))
        found = await _standing(call, name)
        dead, more = paging.cut(found.dead, LISTED)
        return page(
            call.request,
            "system.html",
            system=found.overview,
            glance=Glance.of(found.overview),
            row=found.system,
            rate=found.rate,
            dead=dead,
            more=more,
            most=LISTED,
            said=said if said in DONE else "",
            reason=left.reason if left is not None else "",
            operates=found.operates,
            here=place_of(name),
        )

    @post("/{act:str}", name="workspace.system.act")
    async def act(
        self, call: NamedDependency[Call[Manager]], name: FromPath[str], act: FromPath[str]
    ) -> Response[str] | Redirect:
        """ "Tạm dừng", "Chạy tiếp", "Gửi lại", "Đối chiếu": each at once, and in the journal."""
        form = await forms.read(call.request, forms.NoFields)
        if ask := await fresh.wanted(call, form, back=place_of(name)):
            return ask
        by, now = call.who.account_id, call.now()
        async with call.write() as tx:
            system = await _named(tx, name)
            await _operator(tx, call.kit, call.who, system, call.clock)
            try:
                match act:
                    case "pause":
                        await steering.pause(tx, call.kit, name, until=None, by=by, now=now)
                    case "resume":
                        await steering.resume(tx, call.kit, name, by=by, now=now)
                    case "resend":  # "replay" is the list's: a system's identifier stands before it
                        await outbox.replay(tx, call.kit, system.id, by=by, now=now)
                    case "reconcile":
                        await steering.compare(tx, call.kit, name, by=by, now=now)
                    case _:
                        raise NotFound
            except systems.SystemTrouble as trouble:
                raise SystemNotSo from trouble
        done = {"pause": "paused", "resume": "resumed", "resend": "replayed", "reconcile": "asked"}[act]
        return Redirect(f"{place_of(name)}?done={done}", status_code=303)

    @post("/deliveries/{delivery_id:uuid}/skip", name="workspace.system.skip")
    async def skip(
        self, call: NamedDependency[Call[Manager]], name: FromPath[str], delivery_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """ "Bỏ qua": with a reason, for good."""
        form = await forms.read(call.request, SkipForm)
        if ask := await fresh.wanted(call, form, back=place_of(name)):
            return ask
        async with call.write() as tx:
            reach = await _operator(tx, call.kit, call.who, await _named(tx, name), call.clock)
            theirs = select(Delivery.id).where(Delivery.id == delivery_id, operating.about(reach))
            if await tx.scalar(theirs) is None:
                raise SystemNotSo  # as of one that is not there
            try:
                await steering.skip(
                    tx,
                    call.kit,
                    name,
                    delivery_id,
                    reason=form.reason,
                    by=call.who.account_id,
                    now=call.now(),
                )
            except steering.AboutThemselves as trouble:
                raise OwnDelivery from trouble
            except systems.SystemTrouble as trouble:
                raise SystemNotSo from trouble
        return Redirect(f"{place_of(name)}?done=skipped", status_code=303)


def place_of(name: str) -> str:
    """The address of a system's page."""
    return f"/workspace/systems/{quote(name, safe='')}"


async def _operator(tx: AsyncSession, kit: Kit, manager: Manager, system: System, clock: Clock) -> Reach:
    """Whoever may act on the system at this moment, held until the commit; raises OperatorOnly."""
    try:
        reach = await operating.reach_of(tx, kit, manager.account_id, now=clock.now(), hold=True)
    except NotFound as nobody:
        raise OperatorOnly from nobody
    if not await operating.serves(tx, reach, system):
        raise OperatorOnly
    return reach


async def _named(tx: AsyncSession, name: str) -> System:
    try:
        return await systems.named(tx, name)
    except systems.SystemTrouble as trouble:
        raise NotFound from trouble


async def _standing(call: Call[Manager], name: str) -> Standing:
    now, dead, operates = call.now(), list[listing.Listed](), False
    async with call.read() as tx:
        system = await _named(tx, name)
        (overview,) = await states.overview(tx, now, only=system.id)
        rate = await outbox.delivered_lately(tx, system.id, now)
        reach = (
            await operating.reach_of(tx, call.kit, call.who.account_id, now=now)
            if call.who.operates
            else None
        )
        if reach is not None and await operating.serves(tx, reach, system):
            operates, only = True, operating.about(reach)
            dead = await listing.deliveries(
                tx, call.kit, system, state="dead", only=only, most=LISTED + 1, now=now
            )
    return Standing(overview, system, rate, operates, dead)
