"""Roles as the app sees them: catalogue, units, prefill, one's own requests and roles (rule 601)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from backend.caller import Who
from backend.db import Database
from backend.errors import FieldError, FieldsInvalid, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock, local_day
from backend.roles import corrections, managers, own, posts, progress, requests, staff, unit_search, units
from backend.roles import draft as drafts
from backend.roles.catalogue.entries import Catalogue, still_open
from backend.roles.catalogue.in_force import in_force
from backend.roles.wish import Draft
from mobile_api import schemas_requests
from mobile_api import schemas_roles as schemas
from mobile_api.answers import tagged
from mobile_api.keyed import Key
from mobile_api.problems import language_of

Call = Request[Who, Any, Any]
Cursor = Annotated[str | None, QueryParameter(max_length=300)]
Code = Annotated[str | None, QueryParameter(max_length=60)]
Words = Annotated[str | None, QueryParameter(max_length=unit_search.Q_LONGEST)]


class CatalogController(Controller):
    """What one may ask for: subject types with their forms, positions, units."""

    tags = ["roles"]
    opt = {"open_to": Openness.SESSION}

    @get("/subject-types", operation_id="listSubjectTypes", summary="Đối tượng và biểu mẫu · Subject types")
    async def subject_types(
        self, request: Call, db: NamedDependency[Database], clock: NamedDependency[Clock]
    ) -> Response[schemas.SubjectTypeList]:
        """Each subject type with its form."""
        lang, today = language_of(request.scope), local_day(clock.now())
        async with db.read() as tx:
            kinds = (await in_force(tx)).subject_types
        shown = [schemas.SubjectTypeOut.of(kind, lang, today) for kind in still_open(kinds.values(), today)]
        return tagged(request, schemas.SubjectTypeList(shown), packed=True)

    @get("/positions", operation_id="listPositions", summary="Chức vụ · Positions")
    async def positions(
        self,
        request: Call,
        db: NamedDependency[Database],
        clock: NamedDependency[Clock],
        subject_type: Code = None,
    ) -> Response[schemas.PositionList]:
        """The positions of a subject type, or all of them."""
        async with db.read() as tx:
            catalogue = await in_force(tx)
        _ensure_subject_type(catalogue, subject_type)
        lang = language_of(request.scope)
        found = catalogue.positions_for(subject_type or None, local_day(clock.now()))
        shown = schemas.PositionList([schemas.PositionOut.of(post, lang) for post in found])
        return tagged(request, shown, packed=True)

    @get("/units", operation_id="listUnits", summary="Tìm đơn vị · Find units")
    async def find_units(
        self,
        request: Call,
        db: NamedDependency[Database],
        q: Words = None,
        parent: Code = None,
        cursor: Cursor = None,
    ) -> Response[schemas.UnitList]:
        """By words of the name or by code, without regard to marks; `parent` is a UUID or a code."""
        async with db.read() as tx:
            above = await drafts.find_unit(tx, parent) if parent else None
            if parent and above is None:
                raise managers.UnitNotFound
            found = await units.search(tx, q=q, parent=above.id if above else None, cursor=cursor)
        return tagged(request, schemas.UnitList(found.items, found.next_cursor), packed=True)

    @get("/role-prefill", operation_id="prefillRole", summary="Điền sẵn từ danh bạ · Prefill a role")
    async def prefill(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        subject_type: Code = None,
    ) -> schemas.PrefillOut:
        """What the staff directory knows of the caller, and what does not match (404 `not_in_directory`)."""
        async with db.read() as tx:
            _ensure_subject_type(await in_force(tx), subject_type)
            found = await staff.prefill(tx, kit, request.user.account_id, subject_type or None)
        return schemas.PrefillOut.of(found, kit.brand.hotlines_by_key)

    @get("/roles", operation_id="listRoles", summary="Vai trò của tôi · One's own roles")
    async def roles(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        cursor: Cursor = None,
    ) -> Response[schemas.RoleList]:
        """Current and coming roles, then the past ones, newest first."""
        async with db.read() as tx:
            found = await posts.roles_of(tx, kit, request.user.account_id, cursor=cursor)
        return tagged(request, schemas.RoleList(found.items, found.next_cursor))


class RoleRequestController(Controller):
    """One's own requests."""

    path = "/role-requests"
    tags = ["roles"]
    opt = {"open_to": Openness.SESSION}

    @post(operation_id="createRoleRequest", summary="Gửi yêu cầu về vai trò · Ask for a role")
    async def create(
        self,
        request: Call,
        data: JSONBody[Draft],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        idempotency_key: Key = None,
    ) -> Response[schemas_requests.RoleRequestOut]:
        """Register, amend, move or end a role; one request may wait at a time (409 `request_open`)."""
        who, now = request.user, clock.now()
        async with db.write() as tx:
            made = await requests.create(
                tx,
                kit,
                data,
                by=who.account_id,
                now=now,
                level=who.level,
                key=idempotency_key,
                session=who.session_id,
            )
            found = await own.one_of_mine(tx, kit, made.id, who.account_id, now=now)
        place = {"Location": f"/v1/role-requests/{found.id}"}
        made_out = schemas_requests.RoleRequestOut.of(found, language_of(request.scope))
        return Response(made_out, status_code=201, headers=place)

    @get(operation_id="listRoleRequests", summary="Các yêu cầu của tôi · One's own requests")
    async def mine(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        cursor: Cursor = None,
    ) -> Response[schemas_requests.RoleRequestList]:
        """Newest first."""
        async with db.read() as tx:
            found = await own.mine(tx, kit, request.user.account_id, now=clock.now(), cursor=cursor)
        lang = language_of(request.scope)
        shown = [schemas_requests.RoleRequestOut.of(one, lang) for one in found.items]
        return tagged(request, schemas_requests.RoleRequestList(shown, found.next_cursor))

    @get("/{request_id:uuid}", operation_id="getRoleRequest", summary="Một yêu cầu · One request")
    async def one(
        self,
        request: Call,
        request_id: FromPath[UUID],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[schemas_requests.RoleRequestDetailOut]:
        """Where it is, and in which systems it is in force; with `If-None-Match` 304 while nothing has changed."""
        return tagged(request, await _shown(request, db, kit, clock, request_id))

    @put(
        "/{request_id:uuid}",
        operation_id="correctRoleRequest",
        summary="Sửa và gửi lại · Correct and resubmit",
    )
    async def correct(
        self,
        request: Call,
        request_id: FromPath[UUID],
        data: JSONBody[Draft],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> schemas_requests.RoleRequestDetailOut:
        """After `returned`: every unit is asked again (409 `not_returned` otherwise).

        What a manager began only a manager of a unit concerned corrects (403 `not_your_request`).
        """
        who = request.user
        by = corrections.By(who.account_id, who.level, who.authenticated_at, who.session_id)
        async with db.write() as tx:
            outcome = await corrections.resubmit(tx, kit, request_id, data, by=by, now=clock.now())
        settle(outcome)
        return await _shown(request, db, kit, clock, request_id)

    @post(
        "/{request_id:uuid}/withdraw",
        operation_id="withdrawRoleRequest",
        summary="Rút yêu cầu · Withdraw a request",
        status_code=200,
    )
    async def withdraw(
        self,
        request: Call,
        request_id: FromPath[UUID],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> schemas_requests.RoleRequestDetailOut:
        """Take it back while nobody has decided it (409 `already_decided` otherwise).

        A manager takes back what a manager began, after a sign-in of the day (403 `insufficient_assurance` otherwise).
        """
        who = request.user
        async with db.write() as tx:
            outcome = await requests.withdraw(
                tx,
                kit,
                request_id,
                by=who.account_id,
                level=who.level,
                authenticated_at=who.authenticated_at,
                now=clock.now(),
            )
        settle(outcome)
        return await _shown(request, db, kit, clock, request_id)


CONTROLLERS: list[type[Controller]] = [CatalogController, RoleRequestController]


async def _shown(
    request: Call, db: Database, kit: Kit, clock: Clock, request_id: UUID
) -> schemas_requests.RoleRequestDetailOut:
    async with db.read() as tx:
        found = await own.one_of_mine(tx, kit, request_id, request.user.account_id, now=clock.now())
        detailed = await progress.detailed(tx, kit, found)
    return schemas_requests.RoleRequestDetailOut.of(detailed, language_of(request.scope))


def _ensure_subject_type(catalogue: Catalogue, code: str | None) -> None:
    if code and code not in catalogue.subject_types:
        raise FieldsInvalid(FieldError("subject_type", "unknown_subject_type", "Không có đối tượng này"))
