"""Work instead of a closed door: while strangers ask for too much, every one more costs more computing (A14, TO18).

A door that closes when enough has been asked for is closed by whoever asks for enough. Here it stays open to everybody,
and whoever wants a lot pays for it; a device that the account knows is asked for nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.door import Door
from backend.errors import TooMany

PAUSE = 60  # seconds after which an app that cannot do the work may ask again


class WorkDemanded(TooMany):
    """Too much is asked for: the same call again with the solved `challenge` as `captcha`, or later without."""

    code = "captcha_required"
    title = "Hiện có quá nhiều yêu cầu, thiết bị của bạn cần xác nhận thêm một bước"


async def demand(tx: AsyncSession, door: Door, captcha: str | None, level: int, *, now: datetime) -> None:
    """Raise WorkDemanded unless `captcha` solves a challenge that is hard enough; FieldsInvalid for a wrong one.

    One level less is enough: the load may have risen while the caller's device was working.
    """
    if level <= 0:
        return
    if captcha is None or door.captcha.level_of(captcha) < max(1, level - 1):
        raise WorkDemanded(retry_after=PAUSE, challenge=door.captcha.challenge(now, level))
    await door.captcha.spend(tx, door.captcha.check(captcha, now), now=now)
