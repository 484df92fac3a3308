"""The ways into an account: what there is, what may go (source 001, 3.2; rule 142).

A phone alone is no way in: it carries the code that a password asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.codes import messages
from backend.accounts.identity import people
from backend.accounts.identity.evidence import POST_OFFICE, VNEID
from backend.accounts.models import Certificate, Identity, Password, Phone
from backend.accounts.self import mine
from backend.accounts.ways_in import assurance
from backend.caller import Who
from backend.errors import Conflict, NotFound
from backend.facts import MethodRemoved
from backend.flows import Flow
from backend.kit import Kit
from backend.names import masked_phone
from backend.owed import queue
from backend.support import notices
from backend.words import mark as _

PASSWORD, PHONE, CERTIFICATE = "password", "phone", "certificate"
ACTIVE, UNCONFIRMED = "active", "unconfirmed"
LABELS = {PASSWORD: _("Mật khẩu"), VNEID: "VNeID", POST_OFFICE: _("Bưu điện Việt Nam")}


class LastMethod(Conflict):
    """Without it nobody could get in any more, or a password would have no phone for its code."""

    code = "last_method"
    title = "Đây là phương thức đăng nhập cuối cùng còn dùng được nên không thể gỡ bỏ"


class MethodNotFound(NotFound):
    """The account has no such way in."""

    code = "method_not_found"
    title = "Không tìm thấy phương thức đăng nhập này"


class MethodExists(Conflict):
    """The account has it already."""

    code = "method_exists"
    title = "Tài khoản đã có phương thức đăng nhập này"


class Method(msgspec.Struct, frozen=True):
    """One way in as its owner sees it; `label` is a message of `words` where it names no one's own thing."""

    id: UUID
    type: str
    label: str
    added_at: datetime
    last_used_at: datetime | None
    removable: bool
    state: str = ACTIVE


class Ways(NamedTuple):
    """Everything that an account could be entered by, as it is now; what is kept shut is listed and counts nothing."""

    password: Password | None
    phones: list[Phone]
    certificates: list[Certificate]
    identities: list[Identity]

    def without(self, row: object) -> Ways:
        """The same after one of them went."""
        return Ways(
            None if row is self.password else self.password,
            [one for one in self.phones if one is not row],
            [one for one in self.certificates if one is not row],
            [one for one in self.identities if one is not row],
        )

    def are_enough(self, now: datetime) -> bool:
        """Whether somebody can still get in, and every password has a phone for its code."""
        has_password = self.password is not None and self.password.kept_until is None
        if has_password and not self.open_phones:
            return False
        valid = any(one.valid_until > now and one.kept_until is None for one in self.certificates)
        return has_password or valid or bool(self.identities)

    @property
    def open_phones(self) -> list[Phone]:
        """The numbers that may get codes."""
        return [one for one in self.phones if one.kept_until is None]


async def ways_of(tx: AsyncSession, account_id: UUID, now: datetime) -> Ways:
    """What the account can be entered by; what nobody has confirmed in time is gone."""
    password = await tx.get(Password, account_id, populate_existing=True)
    phones = select(Phone).where(Phone.account_id == account_id, Phone.ended_at.is_(None))
    certificates = select(Certificate).where(
        Certificate.account_id == account_id, Certificate.ended_at.is_(None)
    )
    identities = select(Identity).where(Identity.account_id == account_id)
    phones = phones.where(or_(Phone.kept_until.is_(None), Phone.kept_until > now))
    certificates = certificates.where(or_(Certificate.kept_until.is_(None), Certificate.kept_until > now))
    return Ways(
        password if password is not None and is_there(password, now) else None,
        list(await tx.scalars(phones.order_by(Phone.is_main.desc(), Phone.confirmed_at))),
        list(await tx.scalars(certificates.order_by(Certificate.added_at))),
        list(await tx.scalars(identities.order_by(Identity.created_at))),
    )


def is_there(row: Password | Phone | Certificate, now: datetime) -> bool:
    """Whether it is open, or waits for the owner's word and is not too old for it."""
    return row.kept_until is None or row.kept_until > now


async def listed(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, post_office: str, now: datetime, plain: bool = False
) -> list[Method]:
    """Every way in; `post_office` is that provider's issuer, phones are masked unless `plain`."""
    ways = await ways_of(tx, account_id, now)
    found: list[Method] = []

    def add(row: Password | Phone | Certificate | Identity, kind: str, label: str, since: datetime) -> None:
        """One line; `since` is when the way in came to be."""
        name = account_id if isinstance(row, Password) else row.id
        state = ACTIVE if isinstance(row, Identity) or row.kept_until is None else UNCONFIRMED
        found.append(Method(name, kind, label, since, row.last_used_at, _may_go(ways, row, now), state))

    if ways.password is not None:
        add(ways.password, PASSWORD, LABELS[PASSWORD], ways.password.changed_at)
    for phone in ways.phones:
        number = people.number_of(kit, phone)
        add(phone, PHONE, number if plain else masked_phone(number), phone.confirmed_at)
    for held in ways.certificates:
        label = kit.keys.open("certificates.label", held.id, held.label)
        add(held, CERTIFICATE, label, held.added_at)
    for linked in ways.identities:
        kind = _kind_of(linked, post_office)
        add(linked, kind, LABELS[kind], linked.created_at)
    return found


async def remove(
    tx: AsyncSession, kit: Kit, who: Who, method_id: UUID, *, post_office: str, now: datetime
) -> None:
    """Take a way in from the account; raises LastMethod when it has to stay, MethodNotFound for anybody else's.

    A number hears that it goes. Where codes go to another one from now, that is a change of number, which no registry
    has confirmed: the careful day begins (rules 162, 163).

    The account's row is held, so of two removals at once the second sees what the first has left.
    """
    account = await mine.held(tx, who)
    assurance.demand(who, account, kit.limits, now=now, max_age=kit.limits.reauth_phone, careful=True)
    ways = await ways_of(tx, account.id, now)
    row = named(ways, account, method_id)
    if not _may_go(ways, row, now):
        raise LastMethod
    kind = await _end(tx, account, ways, row, post_office, now)
    await forget_flows(tx, account.id)
    kit.journal.record(
        tx, MethodRemoved(subject=account.id, method=method_id, kind=kind), by=account.id, now=now
    )
    notices.tell(tx, kit, account.id, "method_removed", now=now, method=kind)
    if isinstance(row, Phone) and row.kept_until is None:
        number, text = people.number_of(kit, row), messages.REMOVED
        queue.owe(tx, kit.keys, queue.SMS, text, account_id=account.id, about=row.id, content=number, now=now)


async def forget_flows(tx: AsyncSession, account_id: UUID, *, but: Sequence[UUID] = ()) -> None:
    """End what waits half-way under the old ways in: it was begun with something that is no longer true."""
    await tx.execute(
        delete(Flow)
        .where(Flow.account_id == account_id, Flow.id.not_in(but))
        .execution_options(synchronize_session=False)
    )


def _kind_of(identity: Identity, post_office: str) -> str:
    """Which provider stands behind an identity."""
    return POST_OFFICE if post_office and identity.issuer == post_office else VNEID


def named(ways: Ways, account: Account, method_id: UUID) -> Password | Phone | Certificate | Identity:
    """The way in of that name; raises MethodNotFound for anybody else's."""
    if ways.password is not None and method_id == account.id:
        return ways.password
    rows: list[Phone | Certificate | Identity] = [*ways.phones, *ways.certificates, *ways.identities]
    found = next((row for row in rows if row.id == method_id), None)
    if found is None:
        raise MethodNotFound
    return found


def _may_go(ways: Ways, row: object, now: datetime) -> bool:
    return ways.without(row).are_enough(now)


async def _end(
    tx: AsyncSession,
    account: Account,
    ways: Ways,
    row: Password | Phone | Certificate | Identity,
    post_office: str,
    now: datetime,
) -> str:
    """Write that a way in is no more; which kind it was."""
    if isinstance(row, Phone):
        row.ended_at = now
        left = ways.without(row).open_phones
        if row.is_main and left:
            row.is_main, left[0].is_main = False, True
            account.phone_changed_at = now
        account.version += 1
        return PHONE
    if isinstance(row, Certificate):
        row.ended_at = now
        return CERTIFICATE
    await tx.delete(row)
    return PASSWORD if isinstance(row, Password) else _kind_of(row, post_office)
