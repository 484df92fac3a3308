"""The staff directory, the account and the wish side by side, before anybody decides (rule 650; cases R10, TW10, W01).

What makes a wish worth a second look is a warning on its page, and among many it is left for its own page. That the
directory says nothing of somebody is one of them: nobody has said who that is. Where nobody has brought a directory
in it says nothing of anybody, and that is no word about this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.following import names_of
from backend.accounts.identity.people import full_names
from backend.errors import Conflict
from backend.kit import Kit
from backend.names import is_of_another_alphabet, last_digits, same_birth_date, same_name, written_date
from backend.roles import agencies, differing, movements, policy
from backend.roles import draft as drafts
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import in_force
from backend.roles.compared import Compared, Comparison, Holder, Post
from backend.roles.models import Role, RoleRequest, StaffRecord, Unit
from backend.roles.staff_rows import person_of
from backend.words import Label
from backend.words import mark as _

UNLISTED, LEFT, NAME, BIRTH_DATE, UNIT, LETTERS, LEADING = (
    "unlisted", "left", "name", "birth_date", "unit", "letters", "leading",
)  # fmt: skip
MOST = 5  # holders of a post that are named
Asked = tuple[RoleRequest, Account, Role | None]


class WantsALook(Conflict):
    """One of many, and something about it wants to be seen first."""

    code = "look_first"
    title = "Yêu cầu này có điểm cần đối chiếu; hãy mở yêu cầu để quyết định riêng"


async def risks(tx: AsyncSession, kit: Kit, asked: Sequence[Asked]) -> dict[UUID, list[str]]:
    """Why each of some requests wants a look of its own, by the request; those without a reason are not there."""
    giving = [one for one in asked if movements.of(one[0]).gives]
    known = await numbers.personal(tx, kit, {account.id for _, account, _ in giving})
    entries, catalogue = await differing.entries_of(tx, kit, known), await in_force(tx)
    strangers = [one for one in giving if one[1].id not in entries]
    silent = await agencies.unlisted(tx, {place for one in strangers for place in _places(one)})
    found = {}
    for request, account, role in giving:
        entry, _unit = entries.get(account.id, (None, ""))
        one = (request, account, role)
        if why := _risks(kit, catalogue, one, entry, has_directory=not _places(one) <= silent):
            found[request.id] = why
    return found


def _places(asked: Asked) -> set[UUID]:
    """The units that a wish is about: where the person goes, and where the person is."""
    request, _account, role = asked
    return {request.unit_id} | ({role.unit_id} if role is not None else set())


def _risks(
    kit: Kit, catalogue: Catalogue, asked: Asked, entry: StaffRecord | None, *, has_directory: bool
) -> list[str]:
    request, account, role = asked
    post = catalogue.positions.get(request.position)
    leads = post is not None and post.leading and (role is None or role.position != request.position)
    name, born = names_of(kit, account)
    last = [LETTERS] * is_of_another_alphabet(name) + [LEADING] * leads
    if entry is None:
        return [UNLISTED, *last] if has_directory else last
    person = person_of(kit, entry)
    checks = (
        (LEFT, entry.left_at is not None),
        (NAME, not same_name(name, person.full_name)),
        (BIRTH_DATE, born is not None and not same_birth_date(born, person.birth_date)),
        (UNIT, entry.left_at is None and entry.unit_id not in _places(asked)),
    )
    return [code for code, differs in checks if differs] + last


async def compared(
    tx: AsyncSession, kit: Kit, found: RoleRequest, account: Account, role: Role | None
) -> Comparison | None:
    """Everything side by side for whoever decides; nothing of a wish that gives nobody a post."""
    if not movements.of(found).gives:
        return None
    known = await numbers.personal(tx, kit, [account.id])
    listed = (await differing.entries_of(tx, kit, known)).get(account.id)
    catalogue = await in_force(tx)
    one, entry = (found, account, role), listed[0] if listed else None
    has_directory = entry is not None or not _places(one) <= await agencies.unlisted(tx, _places(one))
    why = _risks(kit, catalogue, one, entry, has_directory=has_directory)
    unit = await tx.get_one(Unit, found.unit_id)
    return Comparison(
        has_directory=has_directory,
        is_listed=entry is not None and entry.left_at is None,
        is_vouched=account.is_owned,
        lines=_lines(kit, catalogue, one, listed, unit.name, why),
        held=await _held(tx, catalogue, account.id),
        holders=await _holders(tx, kit, found) if LEADING in why else [],
        risks=why,
    )


def _lines(
    kit: Kit,
    catalogue: Catalogue,
    asked: Asked,
    listed: tuple[StaffRecord, str] | None,
    unit: str,
    why: Iterable[str],
) -> list[Compared]:
    found, account, _role = asked
    (name, born), fields = names_of(kit, account), drafts.asked_fields(kit, found)
    person = person_of(kit, listed[0]) if listed else None
    listed_born = written_date(person.birth_date) if person and person.birth_date else None
    code, mail = (person.employee_code, person.official_email) if person else ("", "")
    post = catalogue.position_label(listed[0].position) if listed and listed[0].position else None
    wished = catalogue.position_label(found.position)
    asked_code, asked_mail = fields.get("employee_code"), fields.get("official_email")
    return [
        Compared(_("Họ và tên"), person.full_name if person else None, name, None, NAME in why),
        Compared(_("Ngày sinh"), listed_born, born and written_date(born), None, BIRTH_DATE in why),
        Compared(_("Đơn vị"), listed[1] if listed else None, None, unit, UNIT in why),
        Compared(_("Chức vụ"), post, None, wished, _differ(post, wished)),
        Compared(_("Mã cán bộ"), code or None, None, asked_code, _differ(code, asked_code)),
        Compared(_("Thư điện tử công vụ"), mail or None, None, asked_mail, _differ(mail, asked_mail)),
    ]


def _differ(one: str | Label | None, other: str | Label | None) -> bool:
    """What one side leaves out is no difference."""
    return bool(one and other) and str(one).lower() != str(other).lower()


async def _held(tx: AsyncSession, catalogue: Catalogue, account_id: UUID) -> list[Post]:
    query = select(Role, Unit.name).join(Unit, Unit.id == Role.unit_id).order_by(Role.id)
    held = await tx.execute(query.where(Role.account_id == account_id, Role.state.in_(policy.HELD)))
    return [Post(catalogue.position_label(role.position), unit, role.state) for role, unit in held]


async def _holders(tx: AsyncSession, kit: Kit, found: RoleRequest) -> list[Holder]:
    """Others who hold the same post in the same unit, or will."""
    query = select(Role.account_id).where(
        Role.unit_id == found.unit_id,
        Role.position == found.position,
        Role.state.in_(policy.HELD),
        Role.account_id != found.account_id,
    )
    ids = list(dict.fromkeys(await tx.scalars(query.order_by(Role.id).limit(MOST))))
    names, known = await full_names(tx, kit, ids), await numbers.personal(tx, kit, ids)
    return [Holder(names[one], last_digits(known.get(one, ""))) for one in ids]
