"""Another number for codes, when the old one is lost or not: code to the new one, then the registry decides (rule 161).

Source 001, 2.2 and 004, 2: the registry's identity must match; if it does not, the person goes to the
carrier's counter, with a slip that the counter can check. rule 162: at once, with notices and a
day of caution.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.account import Account
from backend.accounts.codes import codes, otp
from backend.accounts.codes.code_rows import Code
from backend.accounts.codes.otp import CodeData, CodeStep
from backend.accounts.codes.texts import phone_changed_text
from backend.accounts.door import Door
from backend.accounts.identity import people
from backend.accounts.models import OneTimeCode, Slip
from backend.accounts.phones import subscription
from backend.accounts.phones.binding import bind_phone, refuse_crowded
from backend.accounts.phones.phones import read_phone
from backend.accounts.self import methods
from backend.accounts.ways_in.assurance import demand
from backend.accounts.ways_in.login import LOGIN
from backend.caller import Caller
from backend.crypto import new_code
from backend.db import new_id
from backend.devices import sessions
from backend.devices.models import Session
from backend.errors import FieldError, FieldsInvalid, Invalid, Unproved
from backend.facts import PhoneChanged, PhoneChangeRefused
from backend.flows import Flow, FlowNotFound, Handle, Step
from backend.names import masked_phone
from backend.outside.messages.sms import SmsUnavailable
from backend.support import notices

KIND = "phone_change"
TELLING: Final = "telling"  # the old number is being told, and by nobody else
PATIENCE = timedelta(minutes=1)  # how long at least one who tells keeps other changes of the account away
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # read aloud at a counter: no 0, O, 1, I, L


class SubscriberMismatch(Invalid):
    """The carriers name somebody else for the new number; `slip` is for their counter."""

    code = "subscriber_mismatch"
    title = (
        "Thông tin thuê bao chưa khớp với tài khoản. Hãy kiểm tra thông tin thuê bao và mang phiếu "
        "này đến quầy giao dịch của nhà mạng"
    )


class ChangeData(CodeData, frozen=True, kw_only=True):
    """What a phone change remembers: the `session` or the waiting `login` that asked."""

    session: UUID | None = None
    login: UUID | None = None


CHANGE = flows.Kind(KIND, ChangeData)


class Changed(msgspec.Struct, frozen=True):
    """The number that codes go to now, masked."""

    phone: str


async def begin(door: Door, text: str, caller: Caller, *, login: UUID | None) -> CodeStep:
    """Send a code to the new number; signed in, or inside a password sign-in that waits at `otp`."""
    who = caller.who
    if (who is None) == (login is None):
        raise (
            Unproved()
            if who is None
            else FieldsInvalid(FieldError("login", "unknown", "Bạn đã đăng nhập, không cần trường này"))
        )
    phone = read_phone(text, allow_invented=door.settings.is_demo)
    async with door.db.write() as tx:
        account = await _account(tx, door, caller, login)
        fresh = door.kit.limits.reauth_phone if who is not None else None  # a waiting sign-in is fresh
        demand(who, account, door.kit.limits, now=caller.now, max_age=fresh, careful=True)
        await _refuse_unfit(tx, door, account, phone)
        by = f"change|{account.id}"
        session = who.session_id if who else None
        data = ChangeData(phone=phone, address=caller.address, who=by, session=session, login=login)
        flow = await CHANGE.start(tx, door.kit, caller, "otp", data, account_id=account.id)
        owed, step = await otp.begin(flow)
    return await otp.deliver(door, owed, step)


async def _refuse_unfit(tx: AsyncSession, door: Door, account: Account, phone: str) -> None:
    """Raises FieldsInvalid for the number that is in use already, and for one that serves too many."""
    present = {people.number_of(door.kit, row): row.is_main for row in await people.phones_of(tx, account.id)}
    if present.get(phone):
        raise FieldsInvalid(
            FieldError("phone", "phone_same", "Số này đang là số điện thoại nhận OTP của bạn")
        )
    await refuse_crowded(tx, door.kit, phone, account.id)


async def _account(tx: AsyncSession, door: Door, caller: Caller, login: UUID | None) -> Account:
    if login is None:
        return await tx.get_one(Account, caller.me.account_id, with_for_update=True)
    waiting = await LOGIN.find(tx, door.kit, login, caller, "otp")
    if waiting.data.method != "password" or waiting.row.account_id is None:
        raise FlowNotFound  # a new person's sign-in has no number to lose
    return await tx.get_one(Account, waiting.account, with_for_update=True)


async def give_code(door: Door, flow_id: UUID, typed: str, caller: Caller) -> Changed:
    """A right code, an agreeing registry, and word to the old number: then the new one is in force.

    Raises SubscriberMismatch with a slip; RegistryUnavailable and SmsUnavailable leave the code right. A word to the
    old number that may not have left is none: nobody loses a number in silence (case TC04).
    """
    code = await otp.guess(door, CHANGE, flow_id, typed, caller)
    async with door.db.read() as tx:
        flow = await CHANGE.find(tx, door.kit, flow_id, caller)
        await _refuse_ended(tx, await tx.get_one(Account, flow.account), flow.data)
    phone = flow.data.phone
    found = await subscription.ask(door, phone, code)
    if not await subscription.names(door, found, flow.account):
        raise await _slip(door, flow, code)
    async with door.db.write() as tx:
        old = await _claim(tx, flow, code)
    try:
        await _tell(door, flow_id, old, phone)
    except SmsUnavailable:
        async with door.db.write() as tx:
            telling = await flow.again(tx, TELLING)
            await codes.release(tx, code)
            await telling.advance("otp")
        raise
    try:
        async with door.db.write() as tx:
            await _change(tx, flow)
    except (
        FieldsInvalid
    ):  # others filled the number while the old one was told: no change, and none is under way
        async with door.db.write() as tx:
            telling = await flow.again(tx, TELLING)
            await telling.advance("ended")
        raise
    await door.pushes.told(flow.account)  # before the answer (rules 162, 163)
    return Changed(masked_phone(phone))


async def _claim(tx: AsyncSession, begun: Handle[ChangeData], code: Code) -> str | None:
    """Be the one who tells the old number, which is returned: of many right codes, and of many changes, one (A31).

    Whoever dies while telling leaves the account to the next change after `PATIENCE`.
    """
    flow, account = await _held(tx, begun, "otp")
    kit, now = flow.kit, flow.now
    patience = max(PATIENCE, 2 * timedelta(seconds=kit.limits.sms_timeout))
    claimed = (
        select(Flow.id)
        .join(OneTimeCode, OneTimeCode.flow_id == Flow.id)
        .where(Flow.account_id == account.id, Flow.kind == KIND, Flow.step == TELLING)
        .where(OneTimeCode.used_at > now - patience)
    )
    if await tx.scalar(claimed.limit(1)) is not None:
        raise FlowNotFound  # another change is about to be
    await refuse_crowded(tx, kit, flow.data.phone, account.id)
    await codes.consume(tx, code, now=now)
    await flow.advance(TELLING)
    before = await people.phones_of(tx, account.id)
    return people.number_of(kit, before[0]) if before else None


async def _tell(door: Door, flow_id: UUID, old: str | None, new: str) -> None:
    """Tell the old number outside of any transaction; raises SmsUnavailable."""
    if old is not None:
        await door.sms.send(
            old, phone_changed_text(door.kit.brand, masked_phone(new)), message_id=f"changed-{flow_id}"
        )


async def _change(tx: AsyncSession, begun: Handle[ChangeData]) -> None:
    """Old number out, new one in, other sessions ended, in one commit."""
    flow, account = await _held(tx, begun, TELLING)
    kit, now, data = flow.kit, flow.now, flow.data
    before = await people.phones_of(tx, account.id)
    await bind_phone(tx, kit, account.id, data.phone, now=now, source="subscriber")
    for row in before:
        if row.is_main or people.number_of(kit, row) == data.phone:
            row.ended_at = now
    account.phone_changed_at, account.version = now, account.version + 1
    reason = "phone_changed"
    await sessions.end_all(tx, kit, account.id, reason=reason, by=account.id, now=now, but=data.session)
    kept = [flow.id] + ([data.login] if data.login else [])
    await methods.forget_flows(tx, account.id, but=kept)  # codes to the lost phone wait no more (rule 310)
    notices.tell(tx, kit, account.id, "phone_changed", now=now, phone=masked_phone(data.phone))
    fact = PhoneChanged(subject=account.id, flow=flow.id)
    kit.journal.record(tx, fact, by=account.id, now=now)
    await flow.advance("done")


async def _held(
    tx: AsyncSession, begun: Handle[ChangeData], step: Step
) -> tuple[Handle[ChangeData], Account]:
    """The flow at this step and its account, held; raises FlowNotFound when another change came first (TC03)."""
    flow = await begun.again(tx, step)
    account = await tx.get_one(Account, flow.account, with_for_update=True, populate_existing=True)
    if account.phone_changed_at is not None and account.phone_changed_at > flow.row.created_at:
        raise FlowNotFound
    await _refuse_ended(tx, account, flow.data)
    return flow, account


async def _refuse_ended(tx: AsyncSession, account: Account, data: ChangeData) -> None:
    """What asked for the change still stands: the account, and the session if one asked (rule 310; case TC03)."""
    if account.frozen_at is not None:
        raise sessions.AccountFrozen
    session = await tx.get(Session, data.session, populate_existing=True) if data.session else None
    if account.status != "active" or (session is not None and session.ended_at is not None):
        raise FlowNotFound


async def _slip(door: Door, begun: Handle[ChangeData], code: Code) -> SubscriberMismatch:
    """A slip that the carrier's counter can check without learning a name or a number."""
    owner, now = begun.account, begun.now
    async with door.db.write() as tx:
        flow = await begun.again(tx)
        await codes.consume(tx, code, now=now)
        await flow.advance("ended")
        letters = new_code(ALPHABET, 10)
        slip = Slip(id=new_id(), code=f"DT-{letters[:5]}-{letters[5:]}", account_id=owner, made_at=now)
        slip.valid_until = now + timedelta(days=door.kit.limits.slip_days)
        slip.phone = door.kit.keys.seal("phone_change_slips.phone", slip.id, flow.data.phone)
        tx.add(slip)
        fact = PhoneChangeRefused(subject=owner, flow=flow.id, slip=slip.id)
        door.kit.journal.record(tx, fact, by=owner, now=now)
    return SubscriberMismatch(slip={"code": slip.code, "valid_until": slip.valid_until.isoformat()})


async def slip_of(tx: AsyncSession, code: str, *, now: datetime) -> Slip | None:
    """The slip of this code, as somebody types it off the paper, while it is valid."""
    bare = re.sub(r"[\s\u2010-\u2015-]", "", code).upper()[:20]
    slip = await tx.scalar(select(Slip).where(Slip.code == f"{bare[:2]}-{bare[2:7]}-{bare[7:]}"))
    return slip if slip is not None and slip.valid_until > now else None
