"""Whether a right may be lent: to whom, and of which units (rule 625)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.appointment import Appointment
from backend.errors import FieldError, FieldsInvalid
from backend.kit import Kit
from backend.names import folded
from backend.roles import delegates, queue, rights
from backend.roles import draft as drafts
from backend.roles.authority import Authority, Post
from backend.roles.models import Unit
from backend.words import mark as _

NOT_ELIGIBLE = _(
    "Không thấy người này; hãy ghi số định danh hoặc đủ họ tên của người có vai trò tại đơn vị bạn phụ trách"
    " hoặc của người phụ trách cấp trên"
)
NAMESAKES = 50


async def meant(
    tx: AsyncSession, kit: Kit, typed: str, who: Authority, wrong: list[FieldError]
) -> UUID | None:
    """Who is meant; that it is not clear goes into `wrong`."""
    if not typed.strip():
        return None
    try:
        return await _person(tx, kit, typed, who)
    except FieldsInvalid as unclear:
        wrong.extend(unclear.fields)
        return None


async def lent_of(
    tx: AsyncSession, who: Authority, codes: list[str], wrong: list[FieldError]
) -> list[tuple[Post, Unit]]:
    """The units with the posts that are lent; a unit of others goes into `wrong`, once."""
    found = [await _lendable(tx, who, code) for code in dict.fromkeys(codes)]
    if None in found:
        wrong.append(
            FieldError("units", "not_yours", "Bạn chỉ ủy quyền được cho đơn vị mà bạn đang phụ trách")
        )
    return [one for one in found if one is not None]


async def why_not_to(
    tx: AsyncSession, kit: Kit, account: Account | None, where: list[tuple[Post, Unit]], who: Authority
) -> list[FieldError]:
    """Why the person does not get it; whether there is such an account is nobody's to learn."""
    if account is not None and account.id == who.account_id:
        return [FieldError("to", "oneself", _("Bạn đang có quyền này rồi; hãy chọn người khác"))]
    no = [FieldError("to", "not_eligible", NOT_ELIGIBLE)]
    if account is None or account.status != "active":
        return no
    for post, _unit in where:
        if not await delegates.is_eligible(
            tx, kit, account.id, await tx.get_one(Unit, post.id), on=who.today
        ):
            return no
    return []


async def _lendable(tx: AsyncSession, who: Authority, code: str) -> tuple[Post, Unit] | None:
    """The unit, and the post by which its word is this manager's own; nothing of another's unit."""
    unit = await drafts.find_unit(tx, code)
    managers = await rights.managers_over(tx, [unit.path], on=who.today) if unit else {}
    post = who.posts.get(rights.decider(unit.path, managers, set()) or unit.id) if unit else None
    return (post, unit) if unit is not None and post is not None else None


async def _person(tx: AsyncSession, kit: Kit, typed: str, who: Authority) -> UUID | None:
    """Who is meant; a name has to be that of one person alone. Raises FieldsInvalid."""
    text = typed.strip()
    try:
        return UUID(text)
    except ValueError:
        pass
    digits = "".join(text.split())
    if digits.isdigit():
        return await numbers.holder_of(tx, kit, digits)
    found = await queue.people_of(tx, kit, who, q=text, most=NAMESAKES)
    called = {one.account_id for one in found.items if folded(one.name) == folded(text)}
    called |= await _above(tx, kit, who, text)
    if len(called) > 1 or (called and found.next_cursor is not None):  # a namesake may stand on the next page
        raise FieldsInvalid(
            FieldError("to", "ambiguous", "Có nhiều người cùng họ tên này, hãy ghi số định danh cá nhân")
        )
    return next(iter(called), None)


async def _above(tx: AsyncSession, kit: Kit, who: Authority, name: str) -> set[UUID]:
    """Managers of the units above who are called so."""
    way = {unit for post in who.posts.values() for unit in rights.way_up(post.path)[1:]}
    query = select(Appointment).where(Appointment.unit_id.in_(way), Appointment.counts("manager", who.today))
    found = set()
    for one in await tx.scalars(query):
        number = kit.keys.open("appointments.national_id", one.id, one.national_id)
        if (holder := await numbers.holder_of(tx, kit, number)) is not None:
            found.add(holder)
    names = await full_names(tx, kit, found)
    return {one for one in found if folded(names[one]) == folded(name)}
