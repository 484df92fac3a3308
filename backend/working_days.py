"""Which days are worked in Việt Nam: Monday to Friday, holidays and make-up days as they are announced (rule 626).

Tết and the day of the Hùng kings follow the moon, and the government moves single days every year: both are a table
(working_days.toml), which an operator replaces by a file of their own when a year is announced otherwise.
"""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import msgspec

SHIPPED = Path(__file__).parent / "working_days.toml"
BYTES_MOST = 64_000
EVERY_YEAR = ((1, 1), (4, 30), (5, 1), (9, 2))  # by the sun; all that is known of a year that the table lacks
ONE = timedelta(days=1)


class WorkingDaysError(ValueError):
    """The file cannot be used, and why."""


class WorkingDays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table: weekdays that are `off`, and days of a weekend that are `worked` in exchange."""

    off: frozenset[date]
    worked: frozenset[date] = frozenset()

    def is_worked(self, day: date) -> bool:
        """Whether offices are open."""
        if day in self.worked:
            return True
        known = any(one.year == day.year for one in self.off)
        holiday = day in self.off if known else (day.month, day.day) in EVERY_YEAR
        return day.weekday() < 5 and not holiday

    def after(self, day: date, days: int) -> date:
        """The last of so many worked days after one."""
        while days > 0:
            day += ONE
            days -= self.is_worked(day)
        return day


def read(file: str | Path) -> WorkingDays:
    """The table in a file; raises WorkingDaysError."""
    try:
        raw = Path(file).read_bytes()
    except OSError as error:
        raise WorkingDaysError(f"cannot be read ({error.strerror})") from error
    if len(raw) > BYTES_MOST:  # what stands behind would be days that nobody reads
        raise WorkingDaysError(f"is longer than {BYTES_MOST} bytes: leave out the years that are past")
    try:
        found = msgspec.convert(tomllib.loads(raw.decode("utf-8-sig")), WorkingDays)
    except (ValueError, RecursionError) as error:
        raise WorkingDaysError(f"is not a table of days (off, worked as lists of days): {error}") from error
    if both := sorted(found.off & found.worked):
        raise WorkingDaysError(f"has {both[0].isoformat()} as off and as worked: leave one")
    return found


@cache
def shipped() -> WorkingDays:
    """The table that comes with the product."""
    return read(SHIPPED)
