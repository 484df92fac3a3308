"""Getting a password back: the account's by personal number, the official mail's by address (source 001, 2.1; 000, 2).

Whether anybody is behind the number or the address is never said: same answers, same time, and a code
that is never right where there is nobody (rule 121; case TO14).
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.account import Account
from backend.accounts.codes import code_rows, codes, locks, messages, otp, sms_budget, work
from backend.accounts.codes.code_rows import Code
from backend.accounts.codes.otp import CodeData, CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import numbers, people
from backend.accounts.passwords import passwords
from backend.accounts.phones import subscription
from backend.accounts.recovery import ways_back
from backend.accounts.self import methods
from backend.caller import Caller
from backend.devices import sessions
from backend.devices.known import own_counts
from backend.errors import Forbidden, Refusal
from backend.facts import OfficialMailReset, PasswordSet, RecoveryRefused
from backend.flows import Handle
from backend.kit import Kit
from backend.outbox.official_mail import MailDirectoryUnavailable
from backend.outside.registries import RegistryUnavailable
from backend.owed import queue
from backend.support import notices
from backend.throttle import Window
from backend.words import mark as _

KIND = "recovery"

NAMED_ANOTHER, SIM_CHANGED = "named_another", "sim_changed"
WAYS = ("vneid", "certificate", "counter")  # what is left to somebody whose number brings nothing back
WORDS = {
    (NAMED_ANOTHER, False): _(
        "Số điện thoại không còn đứng tên bạn. Hãy đăng nhập bằng VNeID hoặc gọi {hotline}"
    ),
    (SIM_CHANGED, False): _(
        "SIM của số điện thoại này mới được thay, nên mã gửi đến số này tạm thời chưa dùng được để lấy lại mật khẩu."
        " Hãy đăng nhập bằng VNeID hoặc chứng thư số, hoặc đến quầy giao dịch"
    ),
    (SIM_CHANGED, True): _(
        "SIM của số điện thoại này mới được thay, nên mã gửi đến số này tạm thời chưa dùng được để đặt lại mật khẩu"
        " thư công vụ. Hãy đến quầy giao dịch hoặc gọi {hotline}"
    ),
}


class RecoveryRefusedForNumber(Forbidden):
    """The number brings no password back: it is somebody else's now (case TC06), or its SIM is too new (TO20)."""

    code = "recovery_refused"
    title = "Chưa thể lấy lại mật khẩu bằng số điện thoại này"


class RecoveryData(CodeData, frozen=True, kw_only=True):
    """What a recovery remembers between its steps, encrypted; `mail` is the official address, if it is about one."""

    mail: str | None = None


RECOVERY = flows.Kind(KIND, RecoveryData)


async def begin(
    door: Door, caller: Caller, *, number: str | None, mail: str | None, captcha: str | None = None
) -> CodeStep:
    """Start a recovery; the same answer for everybody.

    Raises codes.OtpLimit by what was typed alone, and work.WorkDemanded by what others ask for.
    """
    number, mail = numbers.typed(number, mail)
    purpose = code_rows.MAIL if mail else KIND
    async with door.db.write() as tx:
        account_id, phone = await ways_back.receiver(tx, door, number, mail, now=caller.now)
        known_key = await own_counts(tx, account_id, caller.jkt)
        if known_key is None:
            await _as_a_stranger(tx, door, caller, captcha)
        data = RecoveryData(
            phone=phone or f"nobody|{number or mail}",
            address=caller.address,
            who=f"{purpose}|{number or mail}",
            unseen=True,
            known_key=known_key,
            decoy=phone is None,
            mail=mail,
        )
        flow = await RECOVERY.start(tx, door.kit, caller, "otp", data, account_id=account_id)
        owed, step = await otp.begin(flow, purpose=purpose)
        otp.owe(flow, owed)
    return step


async def _as_a_stranger(tx: AsyncSession, door: Door, caller: Caller, captcha: str | None) -> None:
    """What a device that the account does not know uses up, and may have to work for."""
    now, address = caller.now, caller.address
    window = Window(door.kit.limits.recoveries_per_address_per_hour, codes.HOUR)
    await door.kit.throttle.spend(tx, [("recoveries", address, [window])], now=now)
    level = await sms_budget.level(tx, door.kit, hidden=True, address=address, now=now)
    await work.demand(tx, door, captcha, level, now=now)


async def give_code(
    door: Door, flow_id: UUID, typed: str, caller: Caller, *, captcha: str | None = None
) -> None:
    """A right code makes `password` due, once the registry still names the person (rule 170)."""
    code = await otp.guess(door, RECOVERY, flow_id, typed, caller, captcha=captcha)
    async with door.db.read() as tx:
        flow = await RECOVERY.find(tx, door.kit, flow_id, caller)
    data = flow.data
    reason = await _objection(door, flow, code)
    async with door.db.write() as tx:
        flow = await flow.again(tx, "otp")
        if data.mail is None:
            await _still_open(tx, door.kit, flow.account, data.phone)
            if reason is None and await ways_back.leads_to_vneid(tx, door, flow.account):
                reason = ways_back.USE_VNEID
        else:
            await _still_theirs(door, flow)
            owner = flow.row.account_id
            if reason is None and owner is not None and await ways_back.is_unproved(tx, door, owner):
                reason = ways_back.USE_VNEID
        if reason is None:
            await codes.consume(tx, code, now=caller.now)
            await flow.advance("password")
        else:
            await _end(flow, reason)
    if reason is not None:
        raise _refusal(reason, mail=data.mail is not None)


async def _objection(door: Door, flow: Handle[RecoveryData], code: Code) -> str | None:
    """Why the number brings no password back; nothing when it does.

    For an official mail the staff directory vouches for the number (rule 172): what the registry does
    not say stops nobody there, a changed SIM does.
    """
    if flow.data.mail is None:
        found = await subscription.ask(door, flow.data.phone, code)
        if not await subscription.names(door, found, flow.row.account_id):
            return NAMED_ANOTHER
    else:
        try:
            found = await door.registries.subscriber(flow.data.phone)
        except RegistryUnavailable:
            return None
    return SIM_CHANGED if subscription.sim_is_fresh(door.kit, found, flow.now) else None


async def _end(flow: Handle[RecoveryData], reason: str) -> None:
    """The flow is over. Of a new SIM the owner hears; where the number has another one a person has to look (TC06)."""
    tx, kit, now, owner = flow.tx, flow.kit, flow.now, flow.row.account_id
    account = await tx.get(Account, owner or UUID(int=0), with_for_update=True)
    if account is not None and reason == NAMED_ANOTHER:
        account.recovery_frozen_at = now
    elif account is not None and reason == SIM_CHANGED:
        notices.tell(tx, kit, account.id, "codes_locked", now=now, what=reason)
    await flow.advance("ended")
    fact = RecoveryRefused(subject=owner, flow=flow.id, reason=reason)
    kit.journal.record(tx, fact, by=None, now=now)


def _refusal(reason: str, *, mail: bool) -> Refusal:
    if reason == ways_back.USE_VNEID:
        return ways_back.UseVneid()
    return RecoveryRefusedForNumber(WORDS[reason, mail], ways=WAYS[-1:] if mail else WAYS)


async def give_password(door: Door, flow_id: UUID, text: str, caller: Caller) -> None:
    """Set the new password where it belongs; the answer tells the phone. Raises FieldsInvalid on `password`."""
    async with door.db.read() as tx:
        flow = await RECOVERY.find(tx, door.kit, flow_id, caller, "password")
    data, kit, now = flow.data, door.kit, caller.now
    passwords.check(text, kit.brand)
    if data.mail is not None:
        await _set_mail(door, flow, data.mail, text)
        return
    stored = await door.passwords.hashed(text)
    async with door.db.write() as tx:
        flow = await flow.again(tx, "password")
        await locks.forget_passwords(tx, kit, flow.account, caller.jkt)  # counts first, as everywhere
        account = await _still_open(tx, kit, flow.account, data.phone)
        if account.recovery_frozen_at is not None:
            raise _refusal(NAMED_ANOTHER, mail=False)
        if await ways_back.leads_to_vneid(tx, door, account.id):
            raise ways_back.UseVneid  # the password was removed, or a role begun, since the code was right
        await flow.advance("done")
        account.recovered_at = now
        await passwords.put(tx, account.id, stored, now=now)
        await _end_everything(flow)
        notices.tell(tx, kit, account.id, "recovery_done", now=now)
        queue.owe(
            tx,
            kit.keys,
            queue.SMS,
            messages.RECOVERED,
            account_id=account.id,
            about=flow_id,
            content=data.phone,
            now=now,
            rings=False,
        )
        kit.journal.record(tx, PasswordSet(subject=account.id, how=KIND), by=account.id, now=now)


async def _set_mail(door: Door, flow: Handle[RecoveryData], mail: str, text: str) -> None:
    """The directory is asked before anything is done: only what it has taken is true (rule 173).

    Of many at once one asks it, or the password in force could be that of a call which was refused (case TP01).
    """
    async with door.db.write() as tx:
        flow = await flow.again(tx, "password")
        owner = flow.row.account_id
        if owner is not None:
            await _still_open(tx, door.kit, owner)
        await _still_theirs(door, flow)
        await flow.advance("setting")
    try:
        await door.official_mail.set_password(mail, text)
    except MailDirectoryUnavailable:
        async with door.db.write() as tx:
            flow = await flow.again(tx)
            await flow.advance("password")
        raise
    async with door.db.write() as tx:
        flow = await flow.again(tx)
        await flow.advance("done")
        fact = OfficialMailReset(subject=owner, flow=flow.id)
        door.kit.journal.record(tx, fact, by=owner, now=flow.now)
        if owner is not None:
            notices.tell(tx, door.kit, owner, "recovery_done", now=flow.now, what="official_mail")


async def _still_open(tx: AsyncSession, kit: Kit, account_id: UUID, phone: str | None = None) -> Account:
    """The account, held; a take-over report or an erasure since the beginning ends what was half way.

    So does a change of the number that committed after the beginning had read it: its `phone` is the main one still.
    """
    account = await tx.get_one(Account, account_id, with_for_update=True, populate_existing=True)
    if account.status != "active":
        raise flows.FlowNotFound
    if account.frozen_at is not None:
        raise sessions.AccountFrozen
    main = (await people.phones_of(tx, account_id))[:1] if phone else []
    if phone and phone not in [people.number_of(kit, row) for row in main]:
        raise flows.FlowNotFound
    return account


async def _still_theirs(door: Door, flow: Handle[RecoveryData]) -> None:
    """Whoever was given the address meanwhile, or the mailbox to keep, has it; the flow of another is over (A33)."""
    owner, phone = await ways_back.receiver(flow.tx, door, None, flow.data.mail, now=flow.now)
    if owner != flow.row.account_id or (owner is None and phone != flow.data.phone):
        raise flows.FlowNotFound


async def _end_everything(flow: Handle[RecoveryData]) -> None:
    """Whoever was in is out, and whatever was half way is over, in the same commit (rule 171; case TP03)."""
    owner = flow.account
    await sessions.end_all(flow.tx, flow.kit, owner, reason="recovered", by=owner, now=flow.now)
    await methods.forget_flows(flow.tx, owner, but=[flow.id])
