"""What a stand-in system holds, and the protocol by which it is asked: `scim2-server`'s (RFC 7643, RFC 7644).

Loaded when a system is first asked for something: the shapes of the protocol take as long to make as a server.
"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime
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

# pydantic forgets the shape of a message that nobody holds: made anew for each call, it costs more than the answer
SHAPES = [
    ListResponse[User[EnterpriseUser] | Group],
    *(
        shape[kept]
        for shape in (ListResponse, PatchOp, SearchRequest)
        for kept in (User[EnterpriseUser], Group)
    ),
]


class Held:
    """People and groups as one system knows them; `file` is where they outlive a restart."""

    def __init__(self, clock: Clock, file: Path | None) -> None:
        self._file = file
        self._written: dict[Any, bytes] = {}  # each version of a resource is put into words once
        self.storage = InMemoryStorage(clock=clock.now)
        self._service = ScimService(_provider())
        self._handler = ScimHandler(self._service, self.storage)
        self._remember()

    def answer(self, asked: ScimRequest) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for one call that nothing stands against."""
        try:
            said = self._handler.handle(asked)
        except Exception as trouble:  # noqa: BLE001 scim2-server's own rule: its service names every failure
            said = self._service.error_response(trouble)
        body = b"" if said.body is None else msgspec.json.encode(said.body)
        return int(said.status), said.headers, body

    def keep(self) -> None:
        """Write down what is held."""
        if self._file is None:
            return
        before, self._written = self._written, {}
        for one in self.storage.resources:
            version = (one.id, one.meta and one.meta.version)
            self._written[version] = before.get(version) or msgspec.json.encode(one.model_dump())
        self._file.write_bytes(b"[" + b",".join(self._written.values()) + b"]")

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

    def people(self) -> list[dict[str, Any]]:
        """What the page shows of them, the latest change first."""
        people = [one for one in self.storage.resources if isinstance(one, User)]
        people.sort(key=_changed, reverse=True)
        groups = self._groups()
        return [_person(one, groups) for one in people]

    def groups(self) -> list[dict[str, Any]]:
        """What the page shows of groups."""
        return [{"name": one.display_name, "size": len(one.members or [])} for one in self._groups()]

    def _groups(self) -> list[Group]:
        return [one for one in self.storage.resources if isinstance(one, Group)]


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
