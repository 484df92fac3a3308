"""Which account a proved person has: found by (issuer, subject), linked by number, or opened (rule 101)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.account_rows import AccountNow, AnyAccount
from backend.accounts.identity import (
    candidates,
    ending,
    finding,
    following,
    newcomer,
    opened_here,
    taken_over,
)
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import VNEID, Evidence, of_person
from backend.accounts.identity.finding import Match
from backend.accounts.identity.identity_rows import (
    HOLD,
    LEAVE,
    LINK,
    MOBILES,
    OWN,
    PHONE,
    SHOWN,
    Known,
    Mobile,
    Own,
)
from backend.accounts.identity.joining import Answer, Verdict
from backend.accounts.identity.numbers import OLD_ID, holder_among, holder_of, new_number
from backend.accounts.models import Phone
from backend.db import new_id
from backend.errors import Conflict
from backend.facts import AccountOpened, IdentityLinked
from backend.kit import Kit
from backend.names import masked, masked_phone
from backend.outside.eid.eid_claims import Person
from backend.support import notices


class AccountExists(Conflict):
    """Whoever proved to be this person or organisation has an account already."""

    code = "account_exists"
    title = "Bạn đã có tài khoản, vui lòng đăng nhập hoặc lấy lại mật khẩu"


class LinkRequired(Conflict):
    """The person has an account that this way in may not enter by number: sign in as before, then add it."""

    code = "link_required"
    title = "Bạn đã có tài khoản. Hãy đăng nhập bằng cách đã dùng, rồi thêm cách này trong mục phương thức đăng nhập"


async def account_of(
    tx: AsyncSession,
    kit: Kit,
    person: Person,
    *,
    now: datetime,
    by: str = VNEID,
    coming: Coming = Coming(),  # noqa: B008 - immutable
) -> AccountNow | None:
    """The person's account, brought up to date with what the e-ID says today, or nothing.

    Raises LinkRequired or AccountExists where `joining` lets nobody in.
    """
    match = await finding.find(tx, kit, of_person(person, by))
    return await _of(tx, kit, match, person, by, coming, now=now)


async def account_or_new(
    tx: AsyncSession,
    kit: Kit,
    person: Person,
    *,
    now: datetime,
    by: str = VNEID,
    coming: Coming = Coming(),  # noqa: B008 - immutable
) -> tuple[AccountNow, bool]:
    """The same, or the one account that is opened for the person, and whether it is new.

    Of two at once one opens it and the other finds it.
    """
    match = await finding.find(tx, kit, of_person(person, by))
    known = await _of(tx, kit, match, person, by, coming, now=now)
    if known is not None:
        return known, False
    try:
        return await _open(tx, kit, person, by, is_free=match is None, now=now), True
    except AccountExists:
        existing = await account_of(tx, kit, person, now=now, by=by)
        if existing is None:
            raise
        return existing, False


async def _of(
    tx: AsyncSession,
    kit: Kit,
    match: Match | None,
    person: Person,
    by: str,
    coming: Coming,
    *,
    now: datetime,
) -> AccountNow | None:
    answer = finding.decided(of_person(person, by), match)
    if match is None or answer.verdict is Verdict.NEW:
        return None
    if answer.verdict is not Verdict.JOIN:
        raise LinkRequired if answer.verdict is Verdict.ASK else AccountExists
    if match.identity is None:
        match = match._replace(identity=await link(tx, kit, match.account, person, now=now))
    return await joined(tx, kit, match, person, by, answer, coming, now=now)


async def joined(
    tx: AsyncSession,
    kit: Kit,
    match: Match,
    person: Person,
    by: str,
    answer: Answer,
    coming: Coming,
    *,
    now: datetime,
) -> AccountNow:
    """Let an e-ID's person into the account that it has now: what has to end does, and the account follows."""
    account, identity = match.account, match.identity
    assert identity is not None
    evidence = of_person(person, by)
    if answer.ends:
        await ending.owner_came(tx, kit, match, evidence, coming, now=now)
    account = await newcomer.own(tx, account, evidence, now)
    await SHOWN.run(tx, identity=identity.id, now=now, shown_level=person.level)
    account = await following.refresh(tx, kit, account, person, by, now)
    await _tell_candidates(tx, kit, account, evidence, now)
    return account


async def link(tx: AsyncSession, kit: Kit, account: AnyAccount, person: Person, *, now: datetime) -> Known:
    """What the e-ID calls the person is a way into the account from now; its owner is told."""
    identity = await _link(tx, account.id, person, now)
    kit.journal.record(tx, IdentityLinked(subject=account.id, issuer=person.issuer), by=account.id, now=now)
    notices.tell(tx, kit, account.id, "method_added", now=now, method=VNEID)  # also if another opened it
    return identity


async def _open(
    tx: AsyncSession, kit: Kit, person: Person, by: str, *, is_free: bool, now: datetime
) -> AccountNow:
    """Give a proved person the one account."""
    evidence = of_person(person, by)
    old = evidence.identifiers.get(OLD_ID)
    if (
        not is_free
        and old is not None
        and len(evidence.identifiers) > 1
        and await holder_of(tx, kit, old, OLD_ID) is not None
    ):
        del evidence.identifiers[OLD_ID]  # a stranger's: `joining` has said that this is not the same person
    account = await open_with(tx, kit, evidence, now=now, is_free=is_free)
    await _link(tx, account.id, person, now)
    await _tell_candidates(tx, kit, account, evidence, now)
    return account


async def open_with(
    tx: AsyncSession, kit: Kit, evidence: Evidence, *, now: datetime, is_free: bool = False
) -> AccountNow:
    """Open the one account of somebody proved; raises AccountExists when one of the numbers is held.

    `is_free`: this transaction has seen that nobody holds one.
    Whoever opens one with the same number at the same time waits at its row, and then leaves nothing here.
    """
    if not is_free and await holder_among(tx, kit, evidence.identifiers) is not None:
        raise AccountExists
    account = await newcomer.opened(tx, kit, evidence, now)
    for kind, value in evidence.identifiers.items():
        row = new_number(kit, account.id, kind, value, source=evidence.source, now=now)
        if not await HOLD.touched(tx, **row):
            await LEAVE.touched(tx, account=account.id)
            await tx.execute(delete(Account).where(Account.id == account.id))
            opened_here.forget(tx, account.id)
            raise AccountExists
        opened_here.wrote(tx, account.id, Own(row["id"], kind, row["value"], False, now))
    kit.journal.record(tx, AccountOpened(subject=account.id, issuer=evidence.source), by=account.id, now=now)
    return account


async def _tell_candidates(
    tx: AsyncSession, kit: Kit, account: AccountNow, evidence: Evidence, now: datetime
) -> None:
    """VNeID knows the person: is there another account of the same name and birth date (R26)?"""
    if evidence.by == VNEID and evidence.vouches:
        await candidates.tell(tx, kit, account, now=now)


async def _link(tx: AsyncSession, account_id: UUID, person: Person, now: datetime) -> Known:
    known = Known(new_id(), account_id)
    await LINK.run(
        tx,
        **known._asdict(),
        issuer=person.issuer,
        subject=person.subject,
        level=person.level,
        created_at=now,
        last_used_at=now,
    )
    return known


async def phones_of(tx: AsyncSession, account_id: UUID) -> list[Phone]:
    """The account's phones that may get codes, the main one first, then by age; none that is kept shut."""
    query = select(Phone).where(
        Phone.account_id == account_id, Phone.ended_at.is_(None), Phone.kept_until.is_(None)
    )
    return list(await tx.scalars(query.order_by(Phone.is_main.desc(), Phone.confirmed_at)))


async def has_phone(tx: AsyncSession, account_id: UUID, *, now: datetime) -> bool:
    """Whether the account has a phone, be it one that its owner has still to confirm."""
    phones = await MOBILES.all(tx, account=account_id)
    return any(one.kept_until is None or one.kept_until > now for one in phones)


async def mobiles_of(tx: AsyncSession, account_id: UUID) -> list[Mobile]:
    """The same as `phones_of`, to be looked at and not changed."""
    return [one for one in await MOBILES.all(tx, account=account_id) if one.kept_until is None]


def number_of(kit: Kit, phone: Phone | Mobile) -> str:
    """The number itself, E.164."""
    return kit.keys.open("phones.number", phone.id, phone.number)


async def described(tx: AsyncSession, kit: Kit, account: AnyAccount) -> dict[str, object]:
    """What a person is shown of themselves, numbers masked (rule 144)."""
    new = opened_here.of(tx, account.id)
    own = new if new is not None else await OWN.all(tx, account=account.id)
    rows = sorted(own, key=lambda row: (not row.is_main, row.since, row.id))
    identifiers = [
        {"type": row.kind, "value": masked(kit.keys.open("identifiers.value", row.id, row.value))}
        for row in rows
        if row.kind != PHONE
    ]
    phones = [
        masked_phone(kit.keys.open("phones.number", row.id, row.value)) for row in rows if row.kind == PHONE
    ]
    return {
        "id": account.id,
        "kind": account.kind,
        "full_name": kit.keys.open("accounts.full_name", account.id, account.full_name),
        "identifiers": identifiers,
        "phones": phones,
        "assurance_level": account.assurance_level,
        "assurance_scheme": account.assurance_scheme,
    }


async def full_names(tx: AsyncSession, kit: Kit, accounts: Iterable[UUID | None]) -> dict[UUID, str]:
    """Full names by account, of one that was taken over that of its person; nobody has none."""
    wanted = {one for one in accounts if one is not None}
    if not wanted:
        return {}
    columns = Account.id, Account.full_name, Account.joined_into
    rows = (await tx.execute(select(*columns).where(Account.id.in_(wanted)))).all()
    found = {row.id: kit.keys.open("accounts.full_name", row.id, row.full_name) for row in rows}
    if closed := [row.id for row in rows if row.joined_into is not None]:
        whose = await taken_over.now_of(tx, closed)
        names = await full_names(tx, kit, whose.values())
        found |= {one: names[account] for one, account in whose.items()}
    return found
