"""How sure we are of who is asking, and what is missing when we are not sure enough (contract-accounts, 21, 22)."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.account import Account
from backend.devices.entry import Who
from backend.errors import Forbidden
from backend.limits import Limits


class InsufficientAssurance(Forbidden):
    """The sign-in is too weak or too old for this; `required` names the level, method or age (seconds) to reach."""

    code = "insufficient_assurance"
    title = "Thao tác này cần xác thực lại bằng VNeID"


def demand(
    who: Who,
    account: Account,
    limits: Limits,
    *,
    now: datetime,
    level: int | None = None,
    max_age: int | None = None,
    careful: bool = False,
) -> None:
    """Raise InsufficientAssurance unless the session's sign-in is strong and fresh enough.

    `careful` acts want, for a day after a phone change, a VNeID sign-in made after it
    (README "Settled" 9; security D19).
    """
    required: dict[str, object] = {}
    if level is not None and who.level < level:
        required["level"] = level
    if max_age is not None and now - who.authenticated_at > timedelta(seconds=max_age):
        required["max_age"] = max_age
    changed = account.phone_changed_at
    cautious = careful and changed is not None and now - changed < timedelta(seconds=limits.caution)
    if cautious and changed is not None and (who.method != "vneid" or who.authenticated_at <= changed):
        required |= {"method": "vneid", "max_age": int((now - changed).total_seconds())}
    if required:
        raise InsufficientAssurance(required=required)
