"""The identity page: every attribute with the evidence for it, and what its owner may write (source 001, 3.1).

✓ verified: somebody who is trusted has said it. ! unverified: the person has said it, or VNeID
says otherwise. + missing. What was vouched for follows whoever vouches and is not edited here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import following, people
from backend.accounts.identity.evidence import IMPORTED, KEPT_AS_TYPED, VNEID
from backend.accounts.models import Attribute, Identifier
from backend.accounts.self import attributes, mine
from backend.accounts.self.attributes import SELF
from backend.branding.brand import Brand
from backend.caller import Who
from backend.errors import Conflict, FieldError, FieldsInvalid
from backend.facts import AttributeEdited
from backend.kit import Kit
from backend.names import masked, masked_phone
from backend.outside.clock import local_day
from backend.typed import shown

VERIFIED, UNVERIFIED, MISSING = "verified", "unverified", "missing"
NAMED = {"full_name": "organization_name"}


class AttributeVerified(Conflict):
    """What somebody trusted has said is not edited; `attribute` names it."""

    code = "attribute_verified"
    title = "Thông tin này đã được xác minh nên không thể tự sửa"


class UsePhoneChange(Conflict):
    """The phone receives codes: it changes by proof only."""

    code = "use_phone_change"
    title = "Số điện thoại chỉ được thay bằng chức năng đổi số điện thoại nhận OTP"


class Shown(msgspec.Struct, frozen=True):
    """One line of the page."""

    name: str
    value: str | None
    state: str
    source: str | None
    verified_at: datetime | None


class Hotline(msgspec.Struct, frozen=True):
    """Whom to call."""

    name: str
    phone: str


class Standardization(msgspec.Struct, frozen=True):
    """How matching with VNeID went; `fields` are the ones that disagree (source 003, II and VI)."""

    state: str
    fields: list[str]
    hotlines: list[Hotline]


class Page(msgspec.Struct, frozen=True):
    """The whole page."""

    attributes: list[Shown]
    standardization: Standardization


async def page(tx: AsyncSession, kit: Kit, account: Account, *, plain: bool = False) -> Page:
    """The attributes of the account's kind, in the source's order; numbers are masked unless `plain`."""
    known = await _known(tx, kit, account)
    differs = _differing(account)
    missing = (None, MISSING, None, None)
    lines = []
    for name in attributes.OF_KIND[account.kind]:
        value, state, source, at = known.get(name, missing)
        if name in differs and state == VERIFIED:
            state, at = UNVERIFIED, None
        lines.append(Shown(name, value if plain else _masked(name, value), state, source, at))
    return Page(lines, _standardization(account, differs, kit.brand))


async def edit(
    tx: AsyncSession, kit: Kit, who: Who, wanted: Mapping[str, str | None], *, now: datetime
) -> Page:
    """Write what the person says of themselves; null or blank takes it back. All of it, or nothing."""
    account = await mine.held(tx, who)
    changes = _checked(account, wanted, await _known(tx, kit, account), now)
    rows = {
        row.name: row for row in await tx.scalars(select(Attribute).where(Attribute.account_id == account.id))
    }
    for name, value in changes.items():
        row = rows.get(name)
        if value is None and row is None:
            continue
        if value is None:
            await tx.delete(row)
        else:
            await attributes.put(tx, kit, account.id, name, value, source=SELF, now=now)
        kit.journal.record(tx, AttributeEdited(subject=account.id, attribute=name), by=account.id, now=now)
    await tx.flush()
    return await page(tx, kit, account)


def _checked(
    account: Account, wanted: Mapping[str, str | None], known: Mapping[str, Known], now: datetime
) -> dict[str, str | None]:
    """The values as they are kept; raises what is wrong with the names, then with the values."""
    listed = attributes.OF_KIND[account.kind]
    if strange := [name for name in wanted if name not in listed]:
        raise FieldsInvalid(
            *(
                FieldError(f"attributes.{shown(name)}", "unknown", "Trường này không có, vui lòng bỏ đi")
                for name in strange
            )
        )
    if "phone" in wanted:
        raise UsePhoneChange
    for name in wanted:
        if name in attributes.NAMES or (name in known and known[name][2] != SELF):
            raise AttributeVerified(attribute=name)
    changes: dict[str, str | None] = {}
    wrong = []
    for name, text in wanted.items():
        value = attributes.checked(name, text, today=local_day(now)) if text and text.strip() else None
        if value is None and name in attributes.NEEDED.get(account.kind, ()):
            value = FieldError(f"attributes.{name}", "required", "Vui lòng nhập trường này")
        if isinstance(value, FieldError):
            wrong.append(value)
        else:
            changes[name] = value
    if wrong:
        raise FieldsInvalid(*wrong)
    return changes


Known = tuple[str | None, str, str | None, datetime | None]  # value, state, source, verified at


async def _known(tx: AsyncSession, kit: Kit, account: Account) -> dict[str, Known]:
    """Everything that is known, evidence of others before the person's own word; an old list is no evidence."""
    vouched = account.vouched_by != IMPORTED
    state, since = (VERIFIED, account.vouched_at or account.created_at) if vouched else (UNVERIFIED, None)
    known: dict[str, Known] = {}
    for row in await tx.scalars(select(Attribute).where(Attribute.account_id == account.id)):
        value = kit.keys.open("attributes.value", row.id, row.value)
        checked = VERIFIED if row.verified_at else UNVERIFIED
        known[row.name] = (value, checked, row.source, row.verified_at)
    query = select(Identifier).where(Identifier.account_id == account.id, Identifier.ended_at.is_(None))
    for number in await tx.scalars(query.order_by(Identifier.created_at)):
        value = kit.keys.open("identifiers.value", number.id, number.value)
        source = number.source if number.source.isidentifier() else account.vouched_by
        known[number.kind] = (value, state, source, number.created_at if vouched else None)
    name, born = following.names_of(kit, account)
    read_by_desk = known.get("full_name")  # counts until whoever vouches later says the name itself
    known["full_name"] = known["organization_name"] = (name, state, account.vouched_by, since)
    if read_by_desk is not None and account.vouched_by in KEPT_AS_TYPED:
        known["full_name"] = (name, *read_by_desk[1:])
    if born:
        known["birth_date"] = (born, state, account.vouched_by, since)
    if account.gender:
        known["gender"] = (account.gender, state, account.vouched_by, since)
    for phone in (await people.phones_of(tx, account.id))[:1]:  # the one that codes go to
        known["phone"] = (people.number_of(kit, phone), VERIFIED, phone.source, phone.confirmed_at)
    return known


def _masked(name: str, value: str | None) -> str | None:
    """Numbers by the one mask (rule 144), everything else as it is."""
    if value is None or name not in (*attributes.NUMBERS, "phone"):
        return value
    return masked_phone(value) if name == "phone" else masked(value)


def _differing(account: Account) -> set[str]:
    """What VNeID states otherwise, by the names of this kind's page."""
    found = set(account.differs.split(",")) - {""}
    return found if account.kind == "citizen" else {NAMED.get(name, name) for name in found}


def _standardization(account: Account, differs: set[str], brand: Brand) -> Standardization:
    agrees = "done" if account.vouched_by == VNEID else "none"
    hotlines = [Hotline("VNeID", brand.hotlines.vneid), Hotline(brand.name, brand.hotlines.own)]
    return Standardization("failed" if differs else agrees, sorted(differs), hotlines)
