"""For whom a desk opens a case: a personal number that has an account, or a mail address (rule 121)."""

from __future__ import annotations

from uuid import UUID

from backend.accounts.identity import numbers
from backend.errors import FieldError, FieldsInvalid, Refusal
from backend.support import lookups
from backend.support.desks import is_address
from backend.typed import NATIONAL_ID
from backend.words import mark as _
from workspace.call import Call
from workspace.clerk import clerk_in
from workspace.manager import AtDesk

BAD = _("Nhập số định danh cá nhân 12 chữ số hoặc địa chỉ thư điện tử")
NOBODY = _("Chưa có tài khoản với số định danh này, hãy dùng địa chỉ thư điện tử")


async def holder(call: Call[AtDesk], typed: str) -> UUID | str | Refusal:
    """Whose number it is, or the address; that a number was asked stays written down, whatever becomes of the case.

    Raises FieldsInvalid, TooManyLookups.
    """
    address, number, now = typed.strip().lower(), "".join(typed.split()), call.now()
    if is_address(address):
        return address
    if not NATIONAL_ID.fullmatch(number):
        raise FieldsInvalid(FieldError("person", "bad_person", BAD))
    async with call.write() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        await lookups.count(tx, call.kit, who, now=now)
        found = await numbers.holder_of(tx, call.kit, number)
        lookups.journal(tx, call.kit, who, found, now=now)
    return found or FieldsInvalid(FieldError("person", "no_account", NOBODY))
