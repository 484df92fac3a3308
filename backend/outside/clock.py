"""What time it is; a value that tests may move."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST, LAST = date(1000, 1, 1), date(9000, 1, 1)  # before and after everything that is written down


class Clock:
    """The machine's clock, shifted by `ahead` (zero outside tests and drills)."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """This moment, aware, UTC."""
        return datetime.now(UTC) + self.ahead


def local_day(moment: datetime) -> date:
    """The day in Việt Nam at that moment; every effective date is such a day."""
    return moment.astimezone(LOCAL).date()


def begins(day: date) -> datetime:
    """The first moment of a day in Việt Nam, for whoever looks for what was then; the end of all time has one too."""
    return datetime.combine(min(max(day, FIRST), LAST), time(), LOCAL)


def ends(day: date) -> datetime:
    """The first moment after it."""
    return begins(day) + timedelta(days=1)
