"""Registering by a phone subscription or a social-insurance number: registry, code, password (source 001, 1.1 and 1.2).

A number that has an account already gets the same answers, and a code that is never right; the helpful
sentence goes to the phone on file (rule 120).
"""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.account import Account
from backend.accounts.codes import codes, messages, otp, sms_budget, work
from backend.accounts.codes.otp import CodeData, CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import finding, people
from backend.accounts.identity.evidence import SUBSCRIBER, Evidence, of_registry
from backend.accounts.identity.joining import Verdict
from backend.accounts.passwords import passwords
from backend.accounts.phones.binding import bind_phone
from backend.accounts.phones.phones import read_phone
from backend.accounts.self import attributes
from backend.accounts.ways_in.entering import Done, let_in
from backend.caller import Caller
from backend.devices.sessions import Device
from backend.errors import FieldError, FieldsInvalid, Invalid, gather
from backend.facts import PasswordSet, PhoneBound, RegistrationRefused
from backend.kit import Kit
from backend.names import clean_name, read_birth_date
from backend.outside import registries
from backend.owed import queue
from backend.throttle import Window
from backend.typed import TYPED_BIRTH_DATE

KIND = "registration"


class RegistryMismatch(Invalid):
    """The registry knows no such person, or states something else; which field is not said (rule 131)."""

    code = "registry_mismatch"
    title = "Thông tin chưa khớp với cơ sở dữ liệu đối chiếu, vui lòng kiểm tra lại"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the person typed; `insurance` only for a registration by social insurance."""

    method: str
    number: str
    full_name: str
    birth_date: str
    phone: str
    email: str | None = None
    insurance: str | None = None


class RegistrationData(CodeData, frozen=True, kw_only=True):
    """What a registration remembers between its steps, encrypted."""

    device: Device
    profile: Evidence
    email: str | None = None


REGISTRATION = flows.Kind(KIND, RegistrationData)


async def begin(
    door: Door,
    asked: Asked,
    device: Device | None,
    caller: Caller,
    *,
    captcha: str | None,
    bad: list[FieldError],
) -> CodeStep:
    """Check everything, ask the registry, make the code; what is owed to a phone leaves after the answer.

    Raises FieldsInvalid for all fields at once: `bad` is what the caller knows of, without which `device` is there.
    """
    solved = gather(bad, lambda: door.captcha.check(captcha, caller.now))
    asked = _read(door, asked, bad)
    assert device is not None
    async with door.db.write() as tx:
        await door.captcha.spend(tx, solved, now=caller.now)
        await count(tx, door, caller)
        level = await sms_budget.level(tx, door.kit, hidden=False, address=caller.address, now=caller.now)
        if level > 1 and (
            captcha is None or door.captcha.level_of(captcha) < level - 1
        ):  # one stands before it anyway
            await work.demand(tx, door, None, level, now=caller.now)
    return await _start(door, asked, await _confirmed(door, asked, caller.now), device, caller)


async def _start(door: Door, asked: Asked, evidence: Evidence, device: Device, caller: Caller) -> CodeStep:
    async with door.db.write() as tx:
        holder, is_free = await _holder(tx, door.kit, evidence)
        data = RegistrationData(
            device=device,
            profile=evidence,
            email=asked.email,
            phone=asked.phone,
            address=caller.address,
            who=f"registration|{asked.number}",
            decoy=not is_free,
            strict=False,
        )
        flow = await REGISTRATION.start(tx, door.kit, caller, "otp", data)
        owed, step = await otp.begin(flow)
        if owed is None and holder is not None:
            exists = messages.EXISTS  # the way back; what is written is one row for everybody
            keys = door.kit.keys
            queue.owe(
                tx, keys, queue.SMS, exists, account_id=holder, about=flow.id, now=caller.now, rings=False
            )
        else:
            otp.owe(flow, owed)
    return step


async def _holder(tx: AsyncSession, kit: Kit, evidence: Evidence) -> tuple[UUID | None, bool]:
    """Who has this number already, and whether an account may be opened under it."""
    match = await finding.find(tx, kit, evidence, hold=False)
    is_free = finding.decided(evidence, match).verdict is Verdict.NEW
    if match is not None:
        return match.account.id, is_free
    await tx.get(Account, UUID(int=0))  # the same questions for nobody: how long they take says nothing
    return None, is_free


async def count(tx: AsyncSession, door: Door, caller: Caller) -> None:
    """Spend the network address's budget of registrations, whatever their method; raises TooMany."""
    window = Window(door.kit.limits.registrations_per_address_per_hour, codes.HOUR)
    await door.kit.throttle.spend(tx, [("registrations", caller.address, [window])], now=caller.now)


async def _confirmed(door: Door, asked: Asked, now: datetime) -> Evidence:
    """Whom the registry names; the identity is taken from it (source 001, 1.2). Raises RegistryMismatch."""
    found: registries.Subscriber | registries.Insured | None
    if asked.insurance is not None:
        found = await door.registries.insured(asked.insurance)
    else:
        found = await door.registries.subscriber(asked.phone)
        found = found if found is not None and found.active else None
    if found is None or not registries.agrees(
        found, national_id=asked.number, full_name=asked.full_name, birth_date=asked.birth_date
    ):
        async with door.db.write() as tx:
            fact = RegistrationRefused(reason=RegistryMismatch.code, method=asked.method)
            door.kit.journal.record(tx, fact, by=None, now=now)
        raise RegistryMismatch
    return of_registry(found, asked.method)


async def give_code(door: Door, flow_id: UUID, typed: str, caller: Caller) -> None:
    """A right code makes `password` due."""
    code = await otp.guess(door, REGISTRATION, flow_id, typed, caller)
    async with door.db.write() as tx:
        flow = await REGISTRATION.find(tx, door.kit, flow_id, caller, "otp")
        await codes.consume(tx, code, now=caller.now)
        await flow.advance("password")


async def give_password(door: Door, flow_id: UUID, text: str, caller: Caller) -> Done:
    """Open the account with this password and the proved phone; raises people.AccountExists when another was first."""
    async with door.db.read() as tx:
        await REGISTRATION.find(tx, door.kit, flow_id, caller, "password")
    passwords.check(text, door.kit.brand)
    stored = await door.passwords.hashed(text)
    async with door.db.write() as tx:
        flow = await REGISTRATION.find(tx, door.kit, flow_id, caller, "password")
        kit, now, data, profile = door.kit, caller.now, flow.data, flow.data.profile
        account = await people.open_with(tx, kit, profile, now=now)
        source = SUBSCRIBER if profile.by == SUBSCRIBER else "code"
        await bind_phone(tx, kit, account.id, data.phone, now=now, source=source)
        await passwords.put(tx, account.id, stored, now=now)
        if data.email:
            await attributes.put(tx, kit, account.id, "email", data.email, source=attributes.SELF, now=now)
        for fact in (
            PhoneBound(subject=account.id, flow=flow.id),
            PasswordSet(subject=account.id, how=KIND),
        ):
            kit.journal.record(tx, fact, by=account.id, now=now)
        return await let_in(door, flow, data, account, method="password", level=profile.level)


def _read(door: Door, asked: Asked, told: list[FieldError]) -> Asked:
    """The fields as they will be compared; raises FieldsInvalid naming every bad one, each once."""
    bad: list[FieldError] = []
    number = re.sub(r"\s", "", asked.number)
    if not re.fullmatch(r"[0-9]{12}|[0-9]{9}", number):
        bad.append(FieldError("national_id", "invalid", "Số CCCD gồm 12 chữ số, số CMND gồm 9 chữ số"))
    try:
        if not TYPED_BIRTH_DATE.fullmatch(asked.birth_date):
            raise ValueError(asked.birth_date)  # noqa: TRY301 - one answer for every odd spelling
        read_birth_date(asked.birth_date)
    except ValueError:
        bad.append(
            FieldError(
                "birth_date",
                "invalid",
                "Ngày sinh cần có dạng năm-tháng-ngày, ví dụ 1990-12-31, hoặc chỉ năm",
            )
        )
    name = clean_name(asked.full_name)
    if not name or not name.isprintable():
        bad.append(FieldError("full_name", "invalid", "Họ tên cần có chữ đọc được"))
    if asked.insurance is not None and not re.fullmatch(r"[0-9]{10}", asked.insurance):
        bad.append(FieldError("social_insurance_number", "invalid", "Mã số BHXH gồm 10 chữ số"))
    email = attributes.read_email(asked.email, bad) if asked.email and asked.email.strip() else None
    phone = gather(bad, lambda: read_phone(asked.phone, allow_invented=door.settings.is_demo))
    known = {one.field for one in told}  # a missing one is not also malformed
    if faults := [*told, *(one for one in bad if one.field not in known)]:
        raise FieldsInvalid(*faults)
    assert phone is not None
    return msgspec.structs.replace(asked, number=number, full_name=name, phone=phone, email=email)
