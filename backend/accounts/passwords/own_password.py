"""Changing one's password while signed in (source 001, 3.2 b)."""

from __future__ import annotations

from sqlalchemy import select

from backend.accounts.door import Door
from backend.accounts.passwords import password_login, passwords
from backend.accounts.passwords.password_login import CredentialsWrong
from backend.accounts.self import methods, mine
from backend.accounts.ways_in import assurance
from backend.caller import Caller
from backend.devices import sessions
from backend.devices.models import Session
from backend.errors import Conflict
from backend.facts import PasswordSet
from backend.support import notices

HOW = "changed"


class NoPassword(Conflict):
    """The account has no password that could be changed: it signs in by VNeID or by certificate."""

    code = "no_password"
    title = "Tài khoản chưa có mật khẩu nên không đổi được. Hãy đăng nhập bằng VNeID hoặc chứng thư số"


async def change(door: Door, caller: Caller, *, current: str, new: str) -> None:
    """Set another password and end every other session; a wrong `current` is counted as at sign-in on this device.

    Raises NoPassword, CredentialsWrong, password_login.TooManyAttempts, or FieldsInvalid on `new`.
    """
    who, now = caller.me, caller.now
    passwords.check(
        new, door.kit.brand, "new"
    )  # before the try is counted: it says nothing of the current one
    async with door.db.write() as tx:
        account = await mine.held(tx, who)
        assurance.demand(who, account, door.kit.limits, now=now, careful=True)
        row = await passwords.current(tx, account.id)
        if row is None:
            raise NoPassword
        stored = row.hash
        tries = password_login.tries_of(account.id, "", caller.address, caller.jkt or str(who.session_id))
        spent = await password_login.count_try(tx, door.kit, tries, now)
    if not await password_login.is_right(door, stored, current, tries, spent, now):
        async with door.db.write() as tx:
            device = await tx.scalar(select(Session.device_name).where(Session.id == who.session_id))
            await password_login.wrong(tx, door, who.account_id, tries, device or "", now)
        raise CredentialsWrong
    made = await door.passwords.hashed(new)
    async with door.db.write() as tx:
        account = await mine.held(tx, who)
        assurance.demand(who, account, door.kit.limits, now=now, careful=True)
        row = await passwords.current(tx, account.id)
        if (
            row is None or row.hash != stored
        ):  # changed meanwhile: what was given is no longer the current one
            raise CredentialsWrong
        await passwords.put(tx, account.id, made, now=now)
        reason = "password_changed"  # whoever got in with the old one is out in the same commit (rule 310)
        await sessions.end_all(
            tx, door.kit, account.id, reason=reason, by=account.id, now=now, but=who.session_id
        )
        await methods.forget_flows(tx, account.id)
        door.kit.journal.record(tx, PasswordSet(subject=account.id, how=HOW), by=account.id, now=now)
        notices.tell(tx, door.kit, account.id, "password_changed", now=now)
