"""What a PATCH does to a resource of the small SCIM server."""

from __future__ import annotations

import re
from typing import Any

ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def applied(one: dict[str, Any], operation: dict[str, Any]) -> None:
    path, value, how = operation["path"], operation.get("value"), operation["op"].lower()
    if match := re.fullmatch(r'members\[value eq "([^"]+)"\]', path):
        one["members"] = [member for member in one.get("members") or [] if str(member["value"]) != match[1]]
        return
    if path == "members":
        new = [member for member in value or [] if str(member["value"]) not in members_of(one)]
        one["members"] = [*(one.get("members") or []), *new]
        return
    place, key = one, path
    if path.startswith(ENT + ":"):
        place, key = one.setdefault(ENT, {}), path[len(ENT) + 1 :]
    elif "." in path:
        above, key = path.split(".")
        place = one.setdefault(above, {})
    if how == "remove":
        place.pop(key, None)
    else:
        place[key] = value


def members_of(one: dict[str, Any]) -> set[str]:
    return {str(member["value"]) for member in one.get("members") or []}
