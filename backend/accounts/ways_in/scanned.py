"""Signing in to the workspace by a QR code that one's own signed-in phone scans, with a number to match (rule 313).

The page shows a code and a number, the phone three numbers; whoever picks the right one lets in the browser that
asked, which proves itself by a cookie of its own. A stranger who shows somebody a code of theirs is not kept out by the
number: against that the phone names the browser and the network that asked, and what was let in can be denied (decision
0033).
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.account import Account
from backend.accounts.codes import starts
from backend.accounts.codes.sms_budget import network
from backend.accounts.door import Door
from backend.accounts.identity.evidence import VNEID
from backend.accounts.ways_in import agents, assurance
from backend.accounts.ways_in.assurance import WORKSPACE, InsufficientAssurance, WorkspaceLevel
from backend.caller import Caller, Who
from backend.crypto import new_token, numbers_to_match, token_hash
from backend.db import new_id
from backend.devices.proofs import InvalidProof
from backend.errors import Conflict, Invalid, NotFound
from backend.facts import WorkspaceCodeApproved, WorkspaceCodeEnded
from backend.figures import counted
from backend.kit import Kit
from backend.support import notices
from backend.throttle import Window

HOUR = 3600
FETCH = 60  # seconds that the browser has, after the code's time, to come for what was approved
METHOD = "qr"


class WorkspaceCodeNotFound(NotFound):
    """No such code, or its two minutes are over."""

    code = "workspace_code_not_found"
    title = "Mã không tồn tại hoặc đã hết hạn, hãy tạo mã mới trên trang đăng nhập"


class WorkspaceCodeUsed(Conflict):
    """The code was answered before; `outcome` is `approved` or `wrong_number`."""

    code = "workspace_code_used"
    title = "Mã này đã được dùng và không dùng lại được, hãy tạo mã mới trên trang đăng nhập"


class WorkspaceNumberWrong(Invalid):
    """Another number than the page shows: the code is worth nothing any more."""

    code = "workspace_number_wrong"
    title = "Số đã chọn không đúng với số trên màn hình. Mã này không dùng được nữa"


class Asked(msgspec.Struct, frozen=True):
    """What the code's row remembers, encrypted; `secret` is the hash of the browser's cookie.

    The three numbers are made once: who could ask for others beside the right one would see it come again.
    """

    secret: str
    number: str
    numbers: list[str]
    browser: str
    network: str
    province: str | None
    until: datetime
    session_id: UUID  # of the session that will begin
    outcome: str = ""
    by_session: UUID | None = None  # the phone's
    level: int = 0
    shown: datetime | None = None

    @property
    def place(self) -> str:
        """As much of where the browser is as anybody else may know: its network, and its province if that is known."""
        return ", ".join(filter(None, (self.province, self.network)))


LOGIN = flows.Kind("workspace_login", Asked)


async def begin(door: Door, caller: Caller, *, user_agent: str) -> str:
    """A new code for whoever sits at this browser; the value for its cookie. Raises TooMany."""
    secret, life = new_token(), door.kit.limits.workspace_code_lifetime
    number, numbers = numbers_to_match()
    asked = Asked(
        secret=token_hash(secret).hex(),
        number=number,
        numbers=numbers,
        browser=agents.name_of(user_agent),
        network=network(caller.address),
        province=door.places.of(caller.address),
        until=caller.now + timedelta(seconds=life),
        session_id=new_id(),
    )
    async with door.db.write() as tx:
        at_browser = Caller(caller.now, address=caller.address)
        flow = await LOGIN.start(tx, door.kit, at_browser, "confirm", asked, lifetime=life + FETCH)
        door.kit.lives.begin(flow.id, life)
        await starts.count(tx, door.kit, at_browser)
    return f"{flow.id}.{secret}"


async def on_phone(tx: AsyncSession, kit: Kit, login_id: UUID, caller: Caller) -> Asked:
    """What somebody who has scanned the code is shown. Raises what `approve` does, but for the number."""
    account = await tx.get_one(Account, caller.me.account_id)
    _demand(kit, caller.me, account, caller.now)
    return (await _waiting(tx, kit, login_id, caller.now)).data


async def approve(
    tx: AsyncSession, kit: Kit, login_id: UUID, number: str, caller: Caller
) -> WorkspaceNumberWrong | None:
    """Let the browser in that shows this number; another one ends the code for good, so that refusal is returned.

    Raises WorkspaceCodeNotFound, WorkspaceCodeUsed, TooMany, and what the phone's sign-in lacks.
    """
    who, now = caller.me, caller.now
    account = (await tx.scalars(select(Account).where(Account.id == who.account_id).with_for_update())).one()
    _demand(kit, who, account, now)
    most = [Window(kit.limits.workspace_codes_per_hour, HOUR)]
    await kit.throttle.spend(tx, [("workspace codes", str(who.account_id), most)], now=now)
    flow = await _waiting(tx, kit, login_id, now)
    asked = flow.data
    if not hmac.compare_digest(number.encode(), asked.number.encode()):
        await _move(flow, "ended", replace(asked, outcome="wrong_number"))
        ended = WorkspaceCodeEnded(subject=who.account_id, login=flow.id, reason="wrong_number")
        kit.journal.record(tx, ended, by=who.account_id, now=now)
        counted(tx, "ngomon_logins", METHOD, "refused")
        return WorkspaceNumberWrong()
    came = {"by_session": who.session_id, "level": who.level, "shown": who.authenticated_at}
    await _move(flow, "exchange", replace(asked, outcome="approved", **came), account_id=who.account_id)
    fact = WorkspaceCodeApproved(subject=who.account_id, login=flow.id, by_session=who.session_id)
    kit.journal.record(tx, fact, by=who.account_id, now=now)
    notices.tell(
        tx,
        kit,
        who.account_id,
        "workspace_entered",
        now=now,
        about=asked.session_id,
        browser=asked.browser or "?",
        place=asked.place or "?",
    )
    return None


def _demand(kit: Kit, who: Who, account: Account, now: datetime) -> None:
    """VNeID of level 2 and of this day, on a phone whose key was proved; raises InsufficientAssurance and its kin."""
    if who.jkt is None:
        raise InvalidProof
    if who.method != VNEID:
        raise InsufficientAssurance(required={"method": VNEID, "level": WORKSPACE, "max_age": 0})
    if who.level < WORKSPACE:
        raise WorkspaceLevel
    if stale := assurance.stale(who.authenticated_at, now=now):
        raise stale
    assurance.demand(who, account, kit.limits, now=now, careful=True)


async def _waiting(tx: AsyncSession, kit: Kit, login_id: UUID, now: datetime) -> flows.Handle[Asked]:
    """The code while it waits for an answer; raises WorkspaceCodeNotFound, WorkspaceCodeUsed."""
    try:
        flow = await LOGIN.find(tx, kit, login_id, Caller(now))
    except flows.FlowNotFound as error:
        raise WorkspaceCodeNotFound from error
    if flow.row.step != "confirm":
        raise WorkspaceCodeUsed(outcome=flow.data.outcome)
    if is_over(kit, flow, now):
        raise WorkspaceCodeNotFound
    return flow


def is_over(kit: Kit, flow: flows.Handle[Asked], now: datetime) -> bool:
    """Whether nobody can answer it any more, be the clock put back or not."""
    return flow.data.until <= now or kit.lives.is_over(flow.id)


async def _move(
    flow: flows.Handle[Asked], to: flows.Step, asked: Asked, *, account_id: UUID | None = None
) -> None:
    try:
        await flow.advance(to, asked, account_id=account_id)
    except flows.FlowStepMismatch as error:
        raise WorkspaceCodeUsed from error
