"""One user of a SCIM system: what of it is ours, where it differs, and what makes it right (rule 701)."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from backend.outside.connectors import Desired
from backend.outside.connectors.learnt import Learnt
from backend.outside.connectors.scim.wire import Operation, version_of
from backend.outside.connectors.scim.words import Resource, pick, text_of

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
FORMATTED = "formatted_name"  # beside displayName, from which it never differs

PATHS = {
    "external_id": "externalId",
    "user_name": "userName",
    "active": "active",
    "full_name": "displayName",
    FORMATTED: "name.formatted",
    "title": "title",
    "employee_number": f"{ENTERPRISE}:employeeNumber",
    "organization": f"{ENTERPRISE}:organization",
    "department": f"{ENTERPRISE}:department",
}
OF_THE_EXTENSION = ("employee_number", "organization", "department")
OF_A_LEAVER = ("active", "external_id", "user_name")  # whoever left keeps the last known rest
OFF = {"false", "0", "no", "off", "inactive", "disabled"}


class Held(msgspec.Struct, frozen=True):
    """A user as it was read, in our terms; `raw` is the whole of it."""

    id: str
    values: dict[str, Any]
    raw: Resource

    @property
    def version(self) -> str | None:
        """For If-Match."""
        return version_of(self.raw)

    @property
    def external_id(self) -> str | None:
        """Whose it is, if anybody's that was named."""
        found: str | None = self.values["external_id"]
        return found


def held_of(raw: Resource) -> Held:
    """What of a resource is ours; whatever else it holds is passed over (RFC 7643 §3.3)."""
    extra = pick(raw, ENTERPRISE)
    values: dict[str, Any] = {
        "external_id": text_of(pick(raw, "externalId")),
        "user_name": text_of(pick(raw, "userName")),
        "active": _is_on(pick(raw, "active")),
        "full_name": text_of(pick(raw, "displayName")),
        FORMATTED: text_of(pick(pick(raw, "name"), "formatted")),
        "title": text_of(pick(raw, "title")),
        "employee_number": text_of(pick(extra, "employeeNumber")),
        "organization": text_of(pick(extra, "organization")),
        "department": text_of(pick(extra, "department")),
    }
    return Held(text_of(pick(raw, "id")) or "", values, raw)


def wanted_of(desired: Desired) -> dict[str, Any]:
    """The values that a user should have, by the names of PATHS."""
    return {field: getattr(desired, "full_name" if field == FORMATTED else field) for field in PATHS}


def differences(held: Held, desired: Desired, learnt: Learnt) -> dict[str, Any]:
    """What has to be written, field to value; learns on the way what the system does keep after all."""
    wanted = wanted_of(desired)
    found: dict[str, Any] = {}
    for field in PATHS if desired.active else OF_A_LEAVER:
        if is_same(field, held.values[field], wanted[field], desired, learnt):
            if wanted[field] is not None:
                learnt.keeps(field)
        elif field not in learnt.loses:
            found[field] = wanted[field]
    return found


def is_same(field: str, held: Any, wanted: Any, desired: Desired, learnt: Learnt) -> bool:
    """Whether the system holds a value as well as it can."""
    if held == wanted:
        return True
    if field != "user_name":
        return False
    name = str(held or "")
    if name.casefold() == str(wanted).casefold():  # RFC 7643 §4.1.1: case makes no difference
        learnt.spells_names = True
        return True
    if learnt.no_renaming:
        return True
    ours = name.casefold().startswith(desired.external_id.casefold())
    return ours and (learnt.hides_inactive or not desired.active)


def new_user(desired: Desired, user_name: str, learnt: Learnt) -> Resource:
    """The body of a POST."""
    values = {
        field: value
        for field, value in (wanted_of(desired) | {"user_name": user_name}).items()
        if value is not None and field not in learnt.loses
    }
    made: Resource = {"schemas": [USER]}
    return _with(made, values)


def operations(changes: dict[str, Any]) -> list[Operation]:
    """The same as one PATCH."""
    found = []
    for field, value in changes.items():
        path = PATHS[field]
        found.append(
            {"op": "remove", "path": path}
            if value is None
            else {"op": "replace", "path": path, "value": value}
        )
    return found


def replaced(held: Held, changes: dict[str, Any]) -> Resource:
    """The same as a whole resource for PUT: everything that was read, with our changes."""
    return _with(dict(held.raw), changes)


def spare_name(desired: Desired, remote_id: str | None) -> str:
    """A name that nobody else bears, for a user whose predecessor is hidden under the usual ones."""
    return f"{desired.external_id}-{hashlib.sha256((remote_id or '').encode()).hexdigest()[:8]}"


def _with(resource: Resource, changes: dict[str, Any]) -> Resource:
    for field, value in changes.items():
        path, place = PATHS[field], resource
        if field in OF_THE_EXTENSION:
            path = path.rpartition(":")[2]
            place = resource[ENTERPRISE] = dict(pick(resource, ENTERPRISE) or {})
            listed = pick(resource, "schemas")
            resource["schemas"] = sorted({*(listed if isinstance(listed, list) else [USER]), ENTERPRISE})
        elif field == FORMATTED:
            path = "formatted"
            place = resource["name"] = dict(pick(resource, "name") or {})
        for key in [key for key in place if str(key).lower() == path.lower()]:
            del place[key]
        if value is not None:
            place[path] = value
    return resource


def _is_on(value: Any) -> bool:
    """Off is only what says so: an attribute that is absent, or of no such kind, proves nothing."""
    if isinstance(value, list | dict):
        return True
    if isinstance(value, str):
        return value.strip().lower() not in OFF
    return value is None or bool(value)
