"""Three stand-in downstream systems that speak SCIM 2.0, each of which can be broken and healed.

The protocol itself is `scim2-server`'s (RFC 7643, RFC 7644); ours are the token, the switch and the page.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import re
from collections import deque
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    EnterpriseUser,
    ETag,
    External,
    Filter,
    Group,
    ListResponse,
    Patch,
    PatchOp,
    Reference,
    Resource,
    ResourceType,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    User,
)
from scim2_server.handler import ScimHandler
from scim2_server.memory import InMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.service import ScimService

from backend.outside.clock import Clock
from backend.outside.connectors import Desired

SLOW_SECONDS = 12.0
LOG_KEPT = 30
FIRST_ERROR = 400
ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"

# pydantic forgets the shape of a message that nobody holds: made anew for each call, it costs more than the answer
SHAPES = [
    ListResponse[User[EnterpriseUser] | Group],
    *(
        shape[kept]
        for shape in (ListResponse, PatchOp, SearchRequest)
        for kept in (User[EnterpriseUser], Group)
    ),
]

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
        self.storage = InMemoryStorage(clock=clock.now)
        self._service = ScimService(_provider())
        self._handler = ScimHandler(self._service, self.storage)
        self._remember()

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
        if self._file is not None and asked.method != "GET" and status < FIRST_ERROR:
            self._file.write_bytes(msgspec.json.encode([one.model_dump() for one in self.storage.resources]))
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
        try:
            said = self._handler.handle(asked)
        except Exception as trouble:  # noqa: BLE001 scim2-server's own rule: its service names every failure
            said = self._service.error_response(trouble)
        body = b"" if said.body is None else msgspec.json.encode(said.body)
        return int(said.status), said.headers, body

    def _remember(self) -> None:
        """What it held when the demo was last stopped; versions go on where they were."""
        if self._file is None or not self._file.exists():
            return
        models: dict[str, Any] = {
            model.__name__.partition("[")[0]: model for model in self._service.get_models()
        }
        kept = msgspec.json.decode(self._file.read_bytes(), type=list[dict[str, Any]])
        self.storage.resources = [models[one["meta"]["resourceType"]].model_validate(one) for one in kept]
        versions = [int(re.sub(r"\D", "", one["meta"]["version"])) for one in kept]
        self.storage.versions = itertools.count(max(versions, default=0) + 1)

    def holds(self, want: Desired) -> bool:
        """Whether what it holds of this person is what was decided."""
        people = [one for one in self.storage.resources if isinstance(one, User)]
        held = next((one for one in people if one.external_id == want.external_id), None)
        if held is None or not want.active:
            return (held is not None and held.active is not False) == want.active
        said = (held.active is not False, held.title, getattr(held[EnterpriseUser], "department", None))
        return said == (want.active, want.title, want.department)

    def holdings(self) -> dict[str, Any]:
        """What the page shows: people and groups as this system knows them."""
        people = [one for one in self.storage.resources if isinstance(one, User)]
        people.sort(key=_changed, reverse=True)
        groups = [one for one in self.storage.resources if isinstance(one, Group)]
        return {
            "name": self.name,
            "title_vi": self.title_vi,
            "title_en": self.title_en,
            "mood": self.mood,
            "people": [_person(one, groups) for one in people],
            "groups": [{"name": one.display_name, "size": len(one.members or [])} for one in groups],
            "seen": list(self.seen)[:8],
        }


def _changed(resource: Resource[Any]) -> datetime:
    """When it was last written; what has no such time is older than everything."""
    moment = resource.meta.last_modified if resource.meta else None
    return moment or datetime.min.replace(tzinfo=UTC)


def _person(user: User[Any], groups: list[Group]) -> dict[str, Any]:
    extra = user[EnterpriseUser]
    return {
        "name": user.display_name or user.user_name,
        "user_name": user.user_name,
        "title": user.title,
        "active": user.active is not False,
        "unit": getattr(extra, "department", None),
        "organization": getattr(extra, "organization", None),
        "groups": [g.display_name for g in groups if any(m.value == user.id for m in g.members or [])],
    }


def _provider() -> ScimProvider:
    """Users with the enterprise extension, and groups; PATCH, filter, sort and ETags."""
    return ScimProvider(
        models=[User, EnterpriseUser, Group],
        resource_types=[ResourceType.from_resource(User[EnterpriseUser]), ResourceType.from_resource(Group)],
        config=ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=200),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=True),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="bearer_token",
                    description="HTTP bearer token",
                    spec_uri=Reference[External]("https://datatracker.ietf.org/doc/html/rfc6750"),
                )
            ],
        ),
    )


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
