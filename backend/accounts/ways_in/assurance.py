"""How sure we are of who is asking, and what is missing when we are not sure enough (rules 162, 163, 108)."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from backend.account import Account
from backend.accounts.identity.evidence import SURE, VNEID, vouches
from backend.caller import Who
from backend.errors import Forbidden
from backend.limits import Limits
from backend.outside.clock import LOCAL, local_day
from backend.words import mark as _


class InsufficientAssurance(Forbidden):
    """The sign-in is too weak or too old for this; `required` names the level, method or age (seconds) to reach."""

    code = "insufficient_assurance"
    title = _("Thao tác này cần xác thực lại bằng VNeID")


class LevelNeeded(InsufficientAssurance):
    """Signing in again does not help: the e-ID itself has to be of a higher level (R14)."""

    title = "Cần tài khoản định danh điện tử mức độ 2. Hãy nâng mức tại cơ quan Công an rồi thử lại"


def demand_proved(who: Who, limits: Limits, *, now: datetime) -> None:
    """Raise InsufficientAssurance unless VNeID of level 2 or a certificate has let this session in just now."""
    if not vouches(who.method, who.level) or now - who.authenticated_at > timedelta(
        seconds=limits.reauth_phone
    ):
        raise InsufficientAssurance(required={"method": VNEID, "level": SURE, "max_age": limits.reauth_phone})


class WorkspaceLevel(Forbidden):
    """Who decides about others is known at level 2 of VNeID (A11)."""

    code = "workspace_level"
    title = (
        "Không gian làm việc cần tài khoản định danh điện tử mức độ 2."
        " Hãy đăng ký mức độ 2 tại công an xã, phường rồi đăng nhập lại"
    )


WORKSPACE = 2  # the level that the workspace wants, and any act on another's role


def why_not_about_others(
    level: int, authenticated_at: datetime, *, now: datetime
) -> InsufficientAssurance | None:
    """The reason why a sign-in does not do for an act on another's role, wherever it is done (A11)."""
    if level < WORKSPACE:
        return InsufficientAssurance(required={"level": WORKSPACE, "method": VNEID})
    return stale(authenticated_at, now=now)


def demand(
    who: Who | None,
    account: Account,
    limits: Limits,
    *,
    now: datetime,
    level: int | None = None,
    max_age: int | None = None,
    careful: bool = False,
) -> None:
    """Raise InsufficientAssurance unless the session's sign-in is strong and fresh enough.

    Inside a sign-in that is not finished nobody is in yet: `who` is nothing, and every demand is unmet.
    `careful` acts want, for a day after a phone change or a recovery, a VNeID sign-in made after it
    (rule 162).
    """
    required: dict[str, object] = {}
    if level is not None and (who is None or who.level < level):
        required["level"] = level
    if max_age is not None and (who is None or now - who.authenticated_at > timedelta(seconds=max_age)):
        required["max_age"] = max_age
    changed = max(filter(None, (account.phone_changed_at, account.recovered_at)), default=None)
    cautious = careful and changed is not None and now - changed < timedelta(seconds=limits.caution)
    came = who is not None and who.method == VNEID and changed is not None and who.authenticated_at > changed
    if cautious and changed is not None and not came:
        required |= {"method": "vneid", "max_age": max(0, int((now - changed).total_seconds()))}
    if required:
        raise InsufficientAssurance(required=required)


def stale(
    authenticated_at: datetime, *, now: datetime, max_age: int | None = None
) -> InsufficientAssurance | None:
    """Why a sign-in is too old to decide about others: of another day in Việt Nam, or of `max_age` seconds ago."""
    since_midnight = now - datetime.combine(local_day(now), time(), LOCAL)
    most = min(since_midnight, timedelta(seconds=max_age)) if max_age is not None else since_midnight
    if now - authenticated_at <= most:
        return None
    return InsufficientAssurance(required={"max_age": max_age or int(since_midnight.total_seconds())})
