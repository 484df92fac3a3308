"""SCIM 2.0 on the wire (RFC 7644) over scim2-client; turns every failure into one word of ours."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx2
from scim2_client import SCIMClientException
from scim2_client.engines.httpx2 import AsyncSCIMClient
from scim2_models import (
    EnterpriseUser,
    Group,
    ListResponse,
    Resource,
    ResourceType,
    SCIMException,
    ScimProvider,
    SearchRequest,
    User,
)

from backend.outside.connectors import DeliveryError, Target
from backend.outside.http import AddressRefused, Guarded, HttpTrouble, Unreachable

R = TypeVar("R", bound=Resource[Any])
Person = User[EnterpriseUser]
Operation = dict[str, Any]

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PAGE = 20  # small enough for a reply that is cut
LONGEST_WAIT = 86400  # a Retry-After beyond a day is not believed
MOVED, UNAUTHORIZED, FORBIDDEN, TOO_MANY = range(300, 400), 401, 403, 429
NOT_FOUND, CONFLICT, PRECONDITION_FAILED, NOT_MODIFIED, SERVER_ERROR = 404, 409, 412, 304, 500
WHOLE_SYSTEM = {429, 502, 503, 504}  # what a system says of itself, not of one person
KINDS = {
    "invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath", "noTarget",
    "invalidValue", "invalidVers", "sensitive",
}  # fmt: skip


class Conflict(Exception):
    """409: something else already has that name."""


class Vanished(Exception):
    """404: it was there a moment ago, or we thought so."""


class Changed(Exception):
    """412: somebody wrote between our reading and our writing (RFC 7644 §3.14)."""


class Wire:
    """The calls that the connector needs, and no other."""

    def __init__(self, target: Target, http: Guarded) -> None:
        self._http = http.client(
            base_url=target.url.rstrip("/"),
            headers={
                "Accept": "application/scim+json, application/json",
                "Content-Type": "application/scim+json",
            }
            | ({"Authorization": f"Bearer {target.token}"} if target.token else {}),
            timeout=target.reply_timeout,
            event_hooks={"response": [_refuse]},
        )
        kinds = [ResourceType.from_resource(Person), ResourceType.from_resource(Group)]
        self._scim = AsyncSCIMClient(
            self._http, provider=ScimProvider(models=[User, EnterpriseUser, Group], resource_types=kinds)
        )
        self._described = False
        self.filters = True

    async def describe(self) -> None:
        """Read once what the system can do (RFC 7643 §5)."""
        if self._described:
            return
        try:
            with _translated():
                await self._scim.discover(schemas=False, resource_types=False)
        except Vanished:
            pass  # no ServiceProviderConfig: then without ETags
        config = self._scim.provider.config
        if config is not None and config.patch is not None and config.patch.supported is False:
            raise DeliveryError("patch_unsupported", permanent=False, of_system=True)
        self.filters = not (config and config.filter and config.filter.supported is False)
        self._described = True

    async def get(self, kind: type[R], remote_id: str) -> R | None:
        """One resource with its version, or nothing."""
        try:
            with _translated():
                found = await self._scim.query(kind, remote_id)
        except Vanished:
            return None
        return found if isinstance(found, kind) else None

    async def find(self, kind: type[R], attribute: str, value: str, *, without: str | None = None) -> list[R]:
        """Resources whose attribute is that value, or all of them from a system without filters.

        Leaves out an attribute that may be long, where the system can choose for us.
        """
        if not self.filters:
            return await self._all(kind)
        asked = {"filter": f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"}
        if without:
            asked["excludedAttributes"] = without
        return (await self._page(kind, asked))[0]

    async def _all(self, kind: type[R]) -> list[R]:
        found: list[R] = []
        while True:
            page, total = await self._page(kind, {"startIndex": len(found) + 1, "count": PAGE})
            found += page
            if not page or len(found) >= total:
                return found

    async def _page(self, kind: type[R], asked: Mapping[str, object]) -> tuple[list[R], int]:
        request: SearchRequest[Any] = SearchRequest.model_validate(asked)
        with _translated():
            found = await self._scim.query(kind, query_parameters=request)
        if not isinstance(found, ListResponse):
            raise DeliveryError("unreadable_reply", permanent=False)
        return list(found.resources or []), found.total_results or 0

    async def create(self, resource: R) -> R:
        """POST; the answer carries the identifier."""
        with _translated():
            made = await self._scim.create(resource)
        if not isinstance(made, type(resource)) or not made.id:
            raise DeliveryError("unreadable_reply", permanent=False)
        return made

    async def patch(self, resource: Resource[Any], operations: list[Operation]) -> None:
        """PATCH under the version that was read, where the system has versions."""
        await self._patch(resource, None, operations)

    async def patch_members(self, group: Group, operations: list[Operation]) -> None:
        """PATCH whatever the version: others join and leave at the same time, and all of it adds up."""
        await self._patch(Group, group.id, operations, params={"excludedAttributes": "members"})

    async def _patch(
        self, target: Any, remote_id: str | None, operations: list[Operation], **options: Any
    ) -> None:
        body = {"schemas": [PATCH], "Operations": operations}
        with _translated():
            said = await self._scim.modify(target, remote_id, body, check_response_payload=False, **options)
        if isinstance(said, dict) and ERROR in said.get("schemas", ()):
            raise _word_for(int(said.get("status") or SERVER_ERROR), said.get("scimType"))

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SCIMException as error:
        raise _word_for(int(error.status), error.scim_type) from error
    except HttpTrouble as error:
        of_system = isinstance(error, Unreachable | AddressRefused)
        raise DeliveryError(error.code, permanent=False, of_system=of_system) from error
    except SCIMClientException as error:
        status = getattr(error.source, "status_code", None)
        if status is not None and status >= SERVER_ERROR - 100:
            raise _word_for(status, None) from error
        raise DeliveryError("unreadable_reply", permanent=False) from error


def _word_for(status: int, kind: str | None) -> Exception:
    known = {NOT_FOUND: Vanished, CONFLICT: Conflict, PRECONDITION_FAILED: Changed}
    if status in known:
        return known[status]()
    if status >= SERVER_ERROR:
        return DeliveryError(f"status_{status}", permanent=False, of_system=status in WHOLE_SYSTEM)
    return DeliveryError(f"rejected_{kind}" if kind in KINDS else "rejected", permanent=True)


async def _refuse(said: httpx2.Response) -> None:
    """Statuses that mean the same whatever was asked; before anybody reads the body."""
    status = said.status_code
    if status in MOVED and status != NOT_MODIFIED:
        raise DeliveryError("redirected", permanent=False, of_system=True)
    if status in {UNAUTHORIZED, FORBIDDEN}:
        raise DeliveryError("credentials_refused", permanent=False, of_system=True)
    if status == TOO_MANY or status >= SERVER_ERROR:
        raise DeliveryError(
            f"status_{status}",
            permanent=False,
            retry_after=_wait(said.headers),
            of_system=status in WHOLE_SYSTEM,
        )


def _wait(headers: httpx2.Headers) -> int | None:
    """Retry-After in seconds, from seconds or from a date (RFC 9110 §10.2.3), by the sender's own clock."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    try:
        sent = email.utils.parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        sent = time.time()
    return max(0, min(int(until - sent), LONGEST_WAIT))
