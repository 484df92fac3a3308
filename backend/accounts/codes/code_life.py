"""How long a code is right: five minutes from each sending, ten from the first at the latest (rule 201).

The moments stand in the code's row, which all processes see. Each also keeps what it saw begin by a clock that
nobody can set: the newest sending and the code as a whole (case TO10).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from backend.accounts.codes.code_rows import Code
from backend.kit import Kit


def first(kit: Kit, code: Code, *, now: datetime) -> Code:
    """The code as it leaves for the first time."""
    kit.lives.begin(code.id, kit.limits.otp_total_lifetime)
    return again(kit, code._replace(first_sent_at=now), now=now)


def again(kit: Kit, code: Code, *, now: datetime) -> Code:
    """The same code as it leaves once more; also one whose earlier life was over, but not `for_good`."""
    code = as_of(kit, code, now)
    kit.lives.begin(_sending(code), kit.limits.otp_lifetime)
    return code


def as_of(kit: Kit, code: Code, sent_at: datetime) -> Code:
    """The code whose newest sending is the one of that moment."""
    until = min(sent_at + timedelta(seconds=kit.limits.otp_lifetime), _latest(kit, code))
    return code._replace(last_sent_at=sent_at, expires_at=until)


def is_over(kit: Kit, code: Code, *, now: datetime) -> bool:
    """Whether the code is right no more; once over, this sending stays so when the clock is put back."""
    if code.expires_at <= now:
        kit.lives.end(_sending(code))
    return is_over_for_good(kit, code, now=now) or kit.lives.is_over(_sending(code))


def is_over_for_good(kit: Kit, code: Code, *, now: datetime) -> bool:
    """Whether sending it again could not make it right; stays so as well."""
    if _latest(kit, code) <= now:
        kit.lives.end(code.id)
    return kit.lives.is_over(code.id)


def _sending(code: Code) -> tuple[UUID, datetime]:
    """What the newest sending is called: a process that another sending came from knows nothing of its end."""
    return code.id, code.last_sent_at


def _latest(kit: Kit, code: Code) -> datetime:
    return code.first_sent_at + timedelta(seconds=kit.limits.otp_total_lifetime)
