"""Giving one's account another way in: a phone by code, VNeID by its own sign-in (source 001, 3.2 a).

Signing SIMs and USB tokens go on in `signing_methods`. All of them want a fresh sign-in to begin
with, and look again at the end whether the account is still there and need not be careful.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.account import Account
from backend.accounts.codes import codes, otp
from backend.accounts.codes.otp import CodeData, CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import ending, finding, people
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import VNEID, of_person
from backend.accounts.identity.joining import Verdict
from backend.accounts.phones.binding import bind_phone, refuse_crowded
from backend.accounts.phones.phones import read_phone
from backend.accounts.self import methods, mine
from backend.accounts.signing import signing_methods
from backend.accounts.signing.signing import Signed, SignStep
from backend.accounts.signing.signing_methods import KIND
from backend.accounts.ways_in import assurance, login
from backend.accounts.ways_in.login import Answer
from backend.caller import Caller, Who
from backend.errors import Conflict, Refusal, settle
from backend.facts import MethodAdded, PhoneBound
from backend.flows import Handle, Running
from backend.kit import Kit
from backend.outside.eid.eid import Attempt
from backend.outside.eid.eid_claims import Person
from backend.outside.eid.eid_errors import LoginRefused, ProviderUnavailable
from backend.support import notices


class IdentityOfAnother(Conflict):
    """VNeID names somebody else than the account's owner, or its identity belongs to another account."""

    code = "identity_of_another"
    title = "Tài khoản VNeID này không mang số định danh của bạn"


class LinkData(msgspec.Struct, frozen=True):
    """The secrets of the sign-in at VNeID, encrypted."""

    attempt: Attempt


PHONE = flows.Kind(KIND, CodeData, own=True)
LINK = flows.Kind(KIND, LinkData, own=True)


async def may(tx: AsyncSession, kit: Kit, who: Who, *, now: datetime) -> Account:
    """The caller's account, held; raises InsufficientAssurance unless the sign-in is fresh and strong enough."""
    account = await mine.held(tx, who)
    assurance.demand(who, account, kit.limits, now=now, max_age=kit.limits.reauth_phone, careful=True)
    return account


async def begin_phone(door: Door, caller: Caller, text: str) -> CodeStep:
    """Send a code to the number; raises FieldsInvalid, methods.MethodExists or codes.OtpLimit."""
    phone = read_phone(text, allow_invented=door.settings.is_demo)
    async with door.db.write() as tx:
        account = await may(tx, door.kit, caller.me, now=caller.now)
        await _refuse_known(tx, door.kit, account.id, phone)
        await refuse_crowded(tx, door.kit, phone, account.id)
        data = CodeData(phone=phone, address=caller.address, who=f"method|{account.id}")
        owed, step = await otp.begin(await PHONE.start(tx, door.kit, caller, "otp", data))
    return await otp.deliver(door, owed, step)


async def give_code(door: Door, caller: Caller, flow_id: UUID, typed: str) -> UUID:
    """A right code makes the number one of the account's; its row."""
    code = await otp.guess(door, PHONE, flow_id, typed, caller)
    kit, now = door.kit, caller.now
    async with door.db.write() as tx:
        account = await _still(tx, kit, caller)
        flow = await PHONE.find(tx, kit, flow_id, caller, "otp")
        phone = flow.data.phone
        await codes.consume(tx, code, now=now)
        await _refuse_known(tx, kit, account.id, phone)
        has_main = bool(await people.phones_of(tx, account.id))
        row = await bind_phone(tx, kit, account.id, phone, now=now, is_main=not has_main)
        account.version += 1
        await flow.advance("done")
        kit.journal.record(tx, PhoneBound(subject=account.id, flow=flow.id), by=account.id, now=now)
        _told(tx, kit, account, row, methods.PHONE, now)
        return row


async def begin_certificate(door: Door, caller: Caller, certificate: str) -> SignStep:
    """Ask for a signature with the certificate (`signing_methods` does the rest)."""
    async with door.db.write() as tx:
        await may(tx, door.kit, caller.me, now=caller.now)
    return await signing_methods.begin(door, caller, certificate)


async def sign(door: Door, caller: Caller, flow_id: UUID, signed: Signed) -> UUID:
    """Take the signature; the certificate's row (raises what `signing_methods.sign` raises)."""
    async with door.db.write() as tx:
        await _still(tx, door.kit, caller)
    return await signing_methods.sign(door, caller, flow_id, signed)


async def begin_vneid(door: Door, caller: Caller) -> tuple[Running, str]:
    """Send the person to VNeID; returns the flow and the address of its page."""
    async with door.db.write() as tx:
        await may(tx, door.kit, caller.me, now=caller.now)
    url, attempt = await login.provider(door, VNEID).begin(door.settings.vneid.redirect_uri)
    async with door.db.write() as tx:
        await _still(tx, door.kit, caller)
        return (await LINK.start(tx, door.kit, caller, "authorize", LinkData(attempt))).row, url


async def authorize(door: Door, caller: Caller, flow_id: UUID, answer: Answer) -> UUID:
    """Link the identity that VNeID proves, if it is the account's own person; its row.

    Raises LoginRefused, LoginCancelled, ProviderUnavailable, IdentityOfAnother or methods.MethodExists.
    """
    async with door.db.write() as tx:
        claimed = await _claim(tx, door.kit, caller, flow_id, answer)
    flow = settle(claimed)
    try:
        person = await login.provider(door, VNEID).finish(
            flow.data.attempt, code=answer.code or "", iss=answer.iss, encrypt_key=answer.encrypt_key
        )
        evidence = of_person(person, VNEID)
        vouched = await ending.vouched_phones(door.db, door.kit, door.registries, evidence, signed_in=True)
        async with door.db.write() as tx:
            account = await _still(tx, door.kit, caller)
            exchanged = await flow.again(tx, "exchange")
            await exchanged.advance("done")
            coming = Coming(vouched, caller.me.session_id, flow_id)
            return await _link(tx, door.kit, account, person, coming, caller.now)
    except (ProviderUnavailable, LoginRefused, IdentityOfAnother, methods.MethodExists) as refusal:
        async with door.db.write() as tx:
            await login.close(await flow.again(tx, "exchange"), refusal)
        raise


async def _claim(
    tx: AsyncSession, kit: Kit, caller: Caller, flow_id: UUID, answer: Answer
) -> Handle[LinkData] | Refusal:
    """Use the state up; a refusal ends the flow for good, so it is returned."""
    flow = await LINK.find(tx, kit, flow_id, caller, "authorize")
    return await login.use_up(flow, flow.data.attempt, answer) or flow


async def _link(
    tx: AsyncSession, kit: Kit, account: Account, person: Person, coming: Coming, now: datetime
) -> UUID:
    evidence = of_person(person, VNEID)
    match = await finding.find(tx, kit, evidence)
    if match is None or match.account.id != account.id:
        raise IdentityOfAnother
    if match.identity is not None:
        raise methods.MethodExists
    answer = finding.decided(evidence, match, signed_in=True)
    if answer.verdict is not Verdict.JOIN:
        raise IdentityOfAnother
    row = await people.link(tx, kit, account, person, now=now)
    kit.journal.record(tx, MethodAdded(subject=account.id, method=row.id, kind=VNEID), by=account.id, now=now)
    await people.joined(tx, kit, match._replace(identity=row), person, VNEID, answer, coming, now=now)
    return row.id


async def _still(tx: AsyncSession, kit: Kit, caller: Caller) -> Account:
    """The account at the end of a flow: a phone change meanwhile makes it careful (rule 162)."""
    account = await mine.held(tx, caller.me)
    assurance.demand(caller.me, account, kit.limits, now=caller.now, careful=True)
    return account


async def _refuse_known(tx: AsyncSession, kit: Kit, account_id: UUID, phone: str) -> None:
    if any(people.number_of(kit, row) == phone for row in await people.phones_of(tx, account_id)):
        raise methods.MethodExists


def _told(tx: AsyncSession, kit: Kit, account: Account, row: UUID, kind: str, now: datetime) -> None:
    kit.journal.record(tx, MethodAdded(subject=account.id, method=row, kind=kind), by=account.id, now=now)
    notices.tell(tx, kit, account.id, "method_added", now=now, method=kind)
