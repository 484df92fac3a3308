"""Getting a password back: the account's by personal number, the official mail's by address (source 001, 2.1; 000, 2).

Whether anybody is behind the number or the address is never said: same answers, same time, and a code
that is never right where there is nobody (rule 121; case TO14).
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.codes import codes, locks, otp, sms_budget, work
from backend.accounts.codes.messages import send_later
from backend.accounts.codes.otp import CodeData, CodeStep, Later
from backend.accounts.codes.texts import recovered_text
from backend.accounts.door import Door
from backend.accounts.identity import numbers, people
from backend.accounts.models import Account, OneTimeCode
from backend.accounts.passwords import passwords
from backend.accounts.phones import subscription
from backend.accounts.recovery import ways_back
from backend.accounts.self import methods
from backend.devices import sessions
from backend.devices.known import own_counts
from backend.errors import Forbidden, Refusal
from backend.facts import OfficialMailReset, PasswordSet, RecoveryRefused
from backend.flows import Flow
from backend.kit import Kit
from backend.outbox.official_mail import MailDirectoryUnavailable
from backend.outside.registries import RegistryUnavailable
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


async def begin(
    door: Door,
    *,
    number: str | None,
    mail: str | None,
    jkt: str | None,
    address: str,
    now: datetime,
    captcha: str | None = None,
) -> tuple[CodeStep, Later | None]:
    """Start a recovery; the same answer for everybody.

    Raises codes.OtpLimit by what was typed alone, and work.WorkDemanded by what others ask for.
    """
    number, mail = numbers.typed(number, mail)
    purpose = codes.MAIL if mail else KIND
    async with door.db.write() as tx:
        account_id, phone = await ways_back.receiver(tx, door, number, mail)
        known_key = await own_counts(tx, account_id, jkt)
        if known_key is None:
            await _as_a_stranger(tx, door, address, captcha, now)
        data = RecoveryData(
            phone=phone or f"nobody|{number or mail}",
            address=address,
            who=f"{purpose}|{number or mail}",
            unseen=True,
            known_key=known_key,
            decoy=phone is None,
            mail=mail,
        )
        life = door.kit.limits.flow_lifetime
        flow = flows.start(
            tx, door.kit.keys, kind=KIND, step="otp", data=data, jkt=jkt, lifetime=life, now=now,
            account_id=account_id,
        )  # fmt: skip
        owed, step = await otp.begin(tx, door.kit, flow, data, purpose=purpose, now=now)
    return step, partial(otp.deliver_later, door, owed) if owed is not None else None


async def _as_a_stranger(
    tx: AsyncSession, door: Door, address: str, captcha: str | None, now: datetime
) -> None:
    """What a device that the account does not know uses up, and may have to work for."""
    window = Window(door.kit.limits.recoveries_per_address_per_hour, codes.HOUR)
    await door.kit.throttle.spend(tx, [("recoveries", address, [window])], now=now)
    level = await sms_budget.level(tx, door.kit, hidden=True, address=address, now=now)
    await work.demand(tx, door, captcha, level, now=now)


async def send_again(
    door: Door, flow_id: UUID, *, jkt: str | None, now: datetime
) -> tuple[CodeStep, Later | None]:
    """The same code once more."""
    return await otp.again_later(door, flow_id, kind=KIND, jkt=jkt, now=now)


async def give_code(
    door: Door, flow_id: UUID, typed: str, *, jkt: str | None, now: datetime, captcha: str | None = None
) -> None:
    """A right code makes `password` due, once the registry still names the person (rule 170)."""
    code = await otp.guess(door, flow_id, typed, kind=KIND, jkt=jkt, now=now, captcha=captcha)
    async with door.db.read() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        data = flows.data_of(flow, door.kit.keys, RecoveryData)
    reason = await _objection(door, flow, data, code, now)
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="otp", now=now)
        if data.mail is None:
            assert flow.account_id is not None
            await _still_open(tx, door.kit, flow.account_id, data.phone)
            if reason is None and await ways_back.leads_to_vneid(tx, door, flow.account_id):
                reason = ways_back.USE_VNEID
        if reason is None:
            await codes.consume(tx, code, now=now)
            await flows.advance(tx, door.kit.keys, flow, to="password")
        else:
            await _end(tx, door.kit, flow, reason, now)
    if reason is not None:
        raise _refusal(reason, mail=data.mail is not None)


async def _objection(
    door: Door, flow: Flow, data: RecoveryData, code: OneTimeCode, now: datetime
) -> str | None:
    """Why the number brings no password back; nothing when it does.

    For an official mail the staff directory vouches for the number (rule 172): what the registry does
    not say stops nobody there, a changed SIM does.
    """
    if data.mail is None:
        found = await subscription.ask(door, data.phone, code)
        if not await subscription.names(door, found, flow.account_id):
            return NAMED_ANOTHER
    else:
        try:
            found = await door.registries.subscriber(data.phone)
        except RegistryUnavailable:
            return None
    return SIM_CHANGED if subscription.sim_is_fresh(door.kit, found, now) else None


async def _end(tx: AsyncSession, kit: Kit, flow: Flow, reason: str, now: datetime) -> None:
    """The flow is over. Of a new SIM the owner hears; where the number has another one a person has to look (TC06)."""
    account = await tx.get(Account, flow.account_id or UUID(int=0), with_for_update=True)
    if account is not None and reason == NAMED_ANOTHER:
        account.recovery_frozen_at = now
    elif account is not None and reason == SIM_CHANGED:
        notices.tell(tx, kit, account.id, "codes_locked", now=now, what=reason)
    await flows.advance(tx, kit.keys, flow, to="ended")
    fact = RecoveryRefused(subject=flow.account_id, flow=flow.id, reason=reason)
    kit.journal.record(tx, fact, by=None, now=now)


def _refusal(reason: str, *, mail: bool) -> Refusal:
    if reason == ways_back.USE_VNEID:
        return ways_back.UseVneid()
    return RecoveryRefusedForNumber(WORDS[reason, mail], ways=WAYS[-1:] if mail else WAYS)


async def give_password(
    door: Door, flow_id: UUID, text: str, *, jkt: str | None, now: datetime
) -> Later | None:
    """Set the new password where it belongs; the answer tells the phone. Raises FieldsInvalid on `password`."""
    async with door.db.read() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="password", now=now)
        data = flows.data_of(flow, door.kit.keys, RecoveryData)
    passwords.check(text, door.kit.brand)
    if data.mail is not None:
        await _set_mail(door, flow_id, data.mail, text, jkt=jkt, now=now)
        return None
    stored = await door.passwords.hashed(text)
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="password", now=now)
        assert flow.account_id is not None
        await locks.forget_passwords(tx, door.kit, flow.account_id, flow.jkt)  # counts first, as everywhere
        account = await _still_open(tx, door.kit, flow.account_id, data.phone)
        if account.recovery_frozen_at is not None:
            raise _refusal(NAMED_ANOTHER, mail=False)
        if await ways_back.leads_to_vneid(tx, door, flow.account_id):
            raise ways_back.UseVneid  # the password was removed, or a role begun, since the code was right
        await flows.advance(tx, door.kit.keys, flow, to="done")
        account.recovered_at = now
        await passwords.put(tx, flow.account_id, stored, now=now)
        await _end_everything(tx, door.kit, flow, now)
        notices.tell(tx, door.kit, flow.account_id, "recovery_done", now=now)
        fact = PasswordSet(subject=flow.account_id, how=KIND)
        door.kit.journal.record(tx, fact, by=flow.account_id, now=now)
    return partial(_tell, door, data.phone, flow_id)


async def _set_mail(
    door: Door, flow_id: UUID, mail: str, text: str, *, jkt: str | None, now: datetime
) -> None:
    """The directory is asked before anything is done: only what it has taken is true (rule 173).

    Of many at once one asks it, or the password in force could be that of a call which was refused (case TP01).
    """
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="password", now=now)
        if flow.account_id is not None:
            await _still_open(tx, door.kit, flow.account_id)
        await flows.advance(tx, door.kit.keys, flow, to="setting")
    try:
        await door.official_mail.set_password(mail, text)
    except MailDirectoryUnavailable:
        async with door.db.write() as tx:
            flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
            await flows.advance(tx, door.kit.keys, flow, to="password")
        raise
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        await flows.advance(tx, door.kit.keys, flow, to="done")
        fact = OfficialMailReset(subject=flow.account_id, flow=flow.id)
        door.kit.journal.record(tx, fact, by=flow.account_id, now=now)
        if flow.account_id is not None:
            notices.tell(tx, door.kit, flow.account_id, "recovery_done", now=now, what="official_mail")


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


async def _end_everything(tx: AsyncSession, kit: Kit, flow: Flow, now: datetime) -> None:
    """Whoever was in is out, and whatever was half way is over, in the same commit (rule 171; case TP03)."""
    assert flow.account_id is not None
    await sessions.end_all(tx, kit, flow.account_id, reason="recovered", by=flow.account_id, now=now)
    await methods.forget_flows(tx, flow.account_id, but=[flow.id])


async def _tell(door: Door, phone: str, flow_id: UUID) -> None:
    name = f"recovered-{flow_id}"
    await send_later(door, phone, recovered_text(door.kit.brand), message_id=name, about="recovery done")
