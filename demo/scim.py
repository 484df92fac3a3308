"""Three stand-in downstream systems that speak SCIM 2.0, each of which can be broken and healed.

The protocol itself is in `scim_held.py`; ours are the token, the switch and the page.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from backend.outside.clock import Clock
from backend.outside.connectors import Desired

if TYPE_CHECKING:
    from scim2_server.requests import ScimRequest

    from demo.scim_held import Held

SLOW_SECONDS = 12.0
LOG_KEPT = 30
FIRST_ERROR = 400
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

Reply = tuple[int, dict[str, str], bytes]


class Mood(StrEnum):
    """How a system answers: as it should, or in one of the ways that a worker has to survive."""

    WELL = "well"
    BROKEN = "broken"  # 503 with Retry-After
    SLOW = "slow"  # longer than any patience
    REFUSING = "refusing"  # 400: trying again does not help


class Seen(msgspec.Struct, frozen=True):
    """One call that reached a system: never its body."""

    at: datetime
    method: str
    path: str
    status: int


class Trouble(msgspec.Struct):
    """Since when a system has not been well, and until when."""

    began: datetime
    ended: datetime | None = None


class StandInSystem:
    """One system: its name, its token, what it holds and how it feels. `file` is where it keeps that."""

    def __init__(
        self, name: str, title_vi: str, title_en: str, clock: Clock, file: Path | None = None
    ) -> None:
        self.name, self.title_vi, self.title_en = name, title_vi, title_en
        self.token = f"demo-{name}"  # the same at every start, because the database outlives the stand-in
        self._mood = Mood.WELL
        self.trouble: Trouble | None = None  # the latest
        self.seen: deque[Seen] = deque(maxlen=LOG_KEPT)
        self._clock = clock
        self._file = file

    @cached_property
    def held(self) -> Held:
        """What it holds; nobody asks for it while a server starts."""
        from demo.scim_held import Held

        return Held(self._clock, self._file)

    @property
    def mood(self) -> Mood:
        """How it answers now."""
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        if (self._mood is Mood.WELL) != (mood is Mood.WELL):
            now = self._clock.now()
            if self.trouble is None or mood is not Mood.WELL:
                self.trouble = Trouble(now)
            else:
                self.trouble.ended = now
        self._mood = mood

    async def answer(self, asked: ScimRequest) -> Reply:
        """Status, headers and body for one SCIM call."""
        status, headers, body = await self._answer(asked)
        self.seen.appendleft(Seen(self._clock.now(), asked.method, asked.path, status))
        if asked.method != "GET" and status < FIRST_ERROR:
            self.held.keep()
        return status, headers, body

    async def _answer(self, asked: ScimRequest) -> Reply:
        if self.mood is Mood.BROKEN:
            return _error(503, "Hệ thống đang bảo trì", **{"Retry-After": "5"})
        if self.mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        scheme, _, token = (asked.header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self.token.encode()):
            return _error(401, "The bearer token is missing or wrong", **{"WWW-Authenticate": "Bearer"})
        if self.mood is Mood.REFUSING and asked.method != "GET":
            return _error(400, "Dữ liệu bị hệ thống từ chối", scim_type="invalidValue")
        return self.held.answer(asked)

    def holds(self, want: Desired) -> bool:
        """Whether what it holds of this person is what was decided."""
        return self.held.holds(want)

    def holdings(self) -> dict[str, Any]:
        """What the page shows: people and groups as this system knows them."""
        return {
            "name": self.name,
            "title_vi": self.title_vi,
            "title_en": self.title_en,
            "mood": self.mood,
            "people": self.held.people(),
            "groups": self.held.groups(),
            "seen": list(self.seen)[:8],
        }


def _error(status: int, detail: str, *, scim_type: str | None = None, **headers: str) -> Reply:
    said = {"schemas": [ERROR_SCHEMA], "status": str(status), "detail": detail}
    if scim_type:
        said["scimType"] = scim_type
    return status, headers | {"Content-Type": "application/scim+json"}, msgspec.json.encode(said)


def stand_in_systems(clock: Clock, beside: Path | None = None) -> dict[str, StandInSystem]:
    """The three systems of the demo (rule 711), by name; what they hold is kept beside the database."""
    titles = {
        "van-ban": ("Quản lý văn bản và điều hành", "Documents and administration"),
        "thu-dien-tu": ("Thư điện tử công vụ", "Official mail"),
        "mot-cua": ("Một cửa điện tử", "One-stop services"),
    }
    return {
        name: StandInSystem(
            name, vi, en, clock, beside.with_suffix(f".system-{name}.json") if beside else None
        )
        for name, (vi, en) in titles.items()
    }
