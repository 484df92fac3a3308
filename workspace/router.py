"""The workspace's routers: what is served where, behind which doors."""

from __future__ import annotations

from contextlib import suppress

from litestar import Router, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException

from backend.db import Database
from backend.errors import NotFound, Refusal
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from workspace import files, live, manager, refusals, static_files
from workspace.acting import ActController
from workspace.audit import AuditController
from workspace.auth import BrowserSessions, Cookies, OwnPage, SignedOut, Visit, signed_in
from workspace.bulk import BulkController
from workspace.call import call_of
from workspace.corrections import CorrectionController
from workspace.decided import DecisionsController
from workspace.decisions import RequestController
from workspace.delegations import DelegationController
from workspace.differences import DifferencesController
from workspace.given_once import GivenOnce
from workspace.headers import PageHeaders
from workspace.helping import PersonController
from workspace.imports import ImportsController
from workspace.inbox import InboxController
from workspace.interrupted import Interrupted
from workspace.joins import JoinsController
from workspace.login import LoginController, sign_out
from workspace.me import MeController
from workspace.missing_unit import MissingUnitController
from workspace.moves import MoveController
from workspace.my_wishes import WishController
from workspace.names import NamesController
from workspace.operating import OperatorController
from workspace.people import PeopleController
from workspace.preferences import SettingsController
from workspace.reorganisation import ReorganisationController
from workspace.reorganisations import ReorganisationsController
from workspace.reports import ReportsController
from workspace.reviews import ReviewsController
from workspace.saved import SavedController
from workspace.scanned import ScannedController
from workspace.slips import SlipController, typed, verify
from workspace.support import SupportController
from workspace.system_page import SystemController
from workspace.systems import SystemsController
from workspace.units import UnitsController

CONTROLLERS = (
    LoginController,
    ScannedController,
    InboxController,
    BulkController,
    SavedController,
    DecisionsController,
    ReportsController,
    SettingsController,
    RequestController,
    SlipController,
    CorrectionController,
    PeopleController,
    DifferencesController,
    ReviewsController,
    ActController,
    MoveController,
    MeController,
    MissingUnitController,
    WishController,
    UnitsController,
    DelegationController,
    ReorganisationsController,
    ReorganisationController,
    OperatorController,
    ImportsController,
    SystemsController,
    SystemController,
    AuditController,
    SupportController,
    JoinsController,
    NamesController,
    PersonController,
)


def routers(
    db: Database, kit: Kit, clock: Clock, public_url: str, *, shares_origin: bool = False
) -> list[Router]:
    """Everything under /workspace; `eid` and `bell` come from the application.

    `shares_origin`: the demo's phone lives in the same browser storage, and stays when a manager leaves (F04).
    """
    static_files.assets(kit.brand)
    cookies = Cookies(https=public_url.startswith("https://"))
    given = {"db": db, "kit": kit, "clock": clock, "public_url": public_url, "jar": cookies}
    given["leaving"] = '"cache"' if shares_origin else '"cache", "storage"'
    given["streams"] = live.Streams()
    own_page = OwnPage(kit.keys, public_url)
    pages = GivenOnce(
        path="/workspace",
        route_handlers=[*CONTROLLERS, live.events, sign_out, nowhere],
        middleware=[PageHeaders(in_demo=shares_origin)],
        guards=[
            BrowserSessions(db, kit, clock, cookies),
            Interrupted(db, kit, clock, cookies, public_url),
            signed_in,
            files.expect_short,
            own_page,
        ],
        dependencies={
            **{name: _value(value) for name, value in given.items()},
            "call": Provide(call_of),
        },
        exception_handlers={
            SignedOut: refusals.signed_out,
            manager.NothingManaged: manager.nothing_managed,
            manager.DeskInstead: manager.to_the_desk,
            manager.OwnInstead: manager.to_ones_own,
            Refusal: refusals.refused,
            HTTPException: refusals.not_understood,
            Exception: refusals.broken,
        },
        include_in_schema=False,
    )
    return [pages, static_files.router("/workspace/static")]


def papers(db: Database, kit: Kit) -> Router:
    """What anybody with a slip may ask: no session is looked at."""
    return GivenOnce(
        path="/",
        route_handlers=[typed, verify],
        middleware=[PageHeaders()],
        dependencies={"db": _value(db), "kit": _value(kit)},
        include_in_schema=False,
    )


@get("/{rest:path}", open_to=Openness.ANYBODY)
async def nowhere(
    request: Visit,
    db: NamedDependency[Database],
    kit: NamedDependency[Kit],
    clock: NamedDependency[Clock],
) -> None:
    """Whatever else is asked for here gets our own page, with the way back for who is signed in (W18)."""
    if request.user is not None:
        with suppress(Refusal):
            await manager.manager_of(request, db, kit, clock)
    raise NotFound


def _value(value: object) -> Provide:
    return Provide(lambda: value, sync_to_thread=False, use_cache=True)
