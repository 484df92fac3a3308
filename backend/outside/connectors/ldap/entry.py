"""What an entry of ours holds, and what makes another entry like it (rule 710)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from bonsai import LDAPModOp

from backend.outside.connectors import Desired
from backend.outside.connectors.ldap.wire import Change, Found

NUMBER = "employeeNumber"  # the account's identifier
OF_A_ROLE = ("title", "ou", "departmentNumber")
FIELDS = {  # the field of Desired that an attribute stands for
    "displayName": "full_name",
    "mail": "email",
    "title": "title",
    "ou": "department",
    "departmentNumber": "unit_code",
}
OURS = (NUMBER, "cn", "displayName", "sn", "mail", *OF_A_ROLE)
PERSON = ("top", "person", "organizationalPerson", "inetOrgPerson")


def wanted_of(desired: Desired) -> dict[str, tuple[str, ...]]:
    """What the entry of an active person holds (rule 710)."""
    found = {
        NUMBER: desired.external_id,
        "cn": desired.full_name,
        "displayName": desired.full_name,
        "sn": desired.full_name.partition(" ")[0],
        "mail": desired.email,
        "title": desired.title,
        "ou": desired.department,
        "departmentNumber": desired.unit_code,
    }
    return {name: (value,) for name, value in found.items() if value}


def difference(person: Found, name: str, wanted: Sequence[str]) -> Change | None:
    """What makes an attribute right; a mail address that the roles do not know is left to the entry."""
    held = person.all(name)
    if name == "mail" and (not wanted or wanted[0].lower() in {address.lower() for address in held}):
        return None
    if not wanted:
        return Change(name, LDAPModOp.DELETE) if held else None
    fixed = [value for value in person.in_name(name) if value.lower() != wanted[0].lower()]
    if sorted(held) == sorted([*wanted, *fixed]):
        return None
    return Change(name, LDAPModOp.REPLACE, (*wanted, *fixed))


def is_account(number: str) -> bool:
    """Whether an employee number is an account's identifier; an office's own numbers may be replaced."""
    try:
        UUID(number)
    except ValueError:
        return False
    return True
