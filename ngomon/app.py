"""The whole system on one page: settings → outside → database → surfaces → one ASGI application."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

import workspace.auth
import workspace.refusals
import workspace.router
import workspace.static_files
from backend.accounts.codes import messages
from backend.accounts.codes.captcha import Captcha
from backend.accounts.codes.messages import Texts
from backend.accounts.door import Door
from backend.accounts.passwords.passwords import Passwords
from backend.crypto import KeyRing
from backend.db import Database
from backend.devices.entry import Entry
from backend.devices.notices import PushedPhones
from backend.devices.proofs import Nonces, Proofs
from backend.devices.reader import reader_of
from backend.environment import load, with_keys
from backend.errors import Refusal
from backend.kit import Kit
from backend.openness import Openness
from backend.outbox.bell import Bell
from backend.outbox.official_mail import OfficialMail
from backend.outside.clock import Clock
from backend.outside.places import Places
from backend.owed.line import Channel, Line
from backend.roles import own, posts, staff, texting
from backend.settings import Settings
from backend.support.post import PostRoom
from mobile_api import problems
from mobile_api.answers import kept_by_nobody
from mobile_api.app_links import well_known
from mobile_api.auth import Doorkeeper, caller_of, lang_of, proved
from mobile_api.captcha import CaptchaController
from mobile_api.history import HistoryController
from mobile_api.identity import IdentityController
from mobile_api.joins import JoinController
from mobile_api.logins import LoginController
from mobile_api.me import MeController, Profiles
from mobile_api.methods import CONTROLLERS as METHOD_CONTROLLERS
from mobile_api.personal_data import CONTROLLERS as DATA_CONTROLLERS
from mobile_api.phone_changes import PhoneChangeController
from mobile_api.recoveries import RecoveryController
from mobile_api.registrations import RegistrationController
from mobile_api.roles import CONTROLLERS as ROLE_CONTROLLERS
from mobile_api.sessions import DeviceController, SessionController, TokenController
from mobile_api.support import CONTROLLERS as SUPPORT_CONTROLLERS
from mobile_api.workspace_logins import WorkspaceLoginController
from ngomon import logs, schema, tasks
from ngomon.admission import admit
from ngomon.counterparts import Outside
from ngomon.edge import Edge
from ngomon.heads import Heads, leaving
from ngomon.health import health_routes
from ngomon.provided import in_turn, provided
from ngomon.routes import Routes
from ngomon.server import keep_loaded
from workspace.front import app_addresses, front, problem
from workspace.given_once import GivenOnce


class App:
    """The running product, served as `asgi`, and its parts for whoever starts or tests it."""

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, carry_worker: bool | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.outside = Outside(settings, self.clock)
        keys = KeyRing.parse(settings.secret_keys)
        self.db = Database(settings.database_url)
        self.phones = PushedPhones(self.db, keys, self.outside.push, settings.brand)
        self.kit = Kit.of(keys, settings.limits, self.phones, brand=settings.brand, days=settings.days)
        self.bell = Bell(self.db)
        self.post = PostRoom(self.db, self.kit, settings, self.clock)
        self.pushes = self._line(self.phones)
        words = messages.words(settings) | {texting.DECISION: texting.words}
        self.texts = self._line(Texts(self.db, self.kit, self.outside.sms, words))
        self.carry_worker = self.db.is_sqlite if carry_worker is None else carry_worker
        self.door = self._door()
        limits = settings.limits
        self._reader = reader_of(self.db, proof_life=limits.proof_past + limits.proof_future)
        self.entry = Entry(
            self._reader,
            Proofs(settings.public_url, past=limits.proof_past, future=limits.proof_future),
            Nonces(self.kit.keys.derive("dpop nonce")),
            require_dpop=settings.require_dpop,
            want_nonce=settings.dpop_nonce,
        )
        self.profiles = Profiles(self.db, self.kit, posts.current)
        self.litestar = in_turn(self._litestar())
        routes = Routes(self.litestar)
        schema.prepare(self.litestar, routes.openness_of, at_once=settings.open_docs and not settings.is_demo)
        self.asgi = Edge(
            self.litestar,
            limits,
            routes,
            proxies=settings.trusted_proxies,
            public_url=settings.public_url,
            has_answered=Doorkeeper(self.entry, self.profiles, self.clock, routes.openness_of).has_answered,
            is_known=workspace.auth.Known(self.db, self.kit, self.clock, settings.public_url),
            log_reads=settings.log_reads,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The same for whoever is given the product as it was made."""
        await self.asgi(scope, receive, send)

    def _line(self, channel: Channel) -> Line:
        return Line(self.db, self.clock, self.bell, channel)

    def _door(self) -> Door:
        outside = self.outside
        mail = outside.stand.official_mail if outside.stand is not None else OfficialMail
        return Door(
            db=self.db,
            kit=self.kit,
            settings=self.settings,
            eid=outside.eid,
            post_office=outside.post_office,
            sms=outside.sms,
            texts=self.texts,
            pushes=self.pushes,
            registries=outside.registries,
            certificates=outside.certificates,
            passwords=Passwords(self.settings.limits),
            captcha=Captcha(self.kit),
            places=Places(self.settings.places),
            official_mail=mail(self.db, self.kit, outside.http),
            holder_of_mail=staff.holder_of_mail,
            holds_role=own.holds_role,
        )

    def _litestar(self) -> Litestar:
        routes: list[ControllerRouterHandler] = [self._mobile(), *self._workspace(), *health_routes(self)]
        routes += [workspace.router.papers(self.db, self.kit), app_addresses(), problem]
        routes += well_known(self.settings)
        if self.outside.stand is not None:
            stand_ins = self.outside.stand.routes()
            routes.append(GivenOnce("/", route_handlers=stand_ins, opt={"open_to": Openness.ANYBODY}))
        else:
            routes.append(front)
        return Litestar(
            routes,
            dependencies=provided(
                db=self.db,
                kit=self.kit,
                clock=self.clock,
                door=self.door,
                profiles=self.profiles,
                bell=self.bell,
                settings=self.settings,
            ),
            exception_handlers={
                Refusal: problems.on_refusal,
                HTTPException: _on_http_exception,
                Exception: problems.on_bug,
            },
            lifespan=[self._life],
            state=State({"brand": self.settings.brand}),
            openapi_config=schema.config() if self.settings.open_docs else None,
            request_max_body_size=self.settings.limits.longest_body,
            logging_config=None,
        )

    def _mobile(self) -> Router:
        handlers = [LoginController, RegistrationController, RecoveryController, PhoneChangeController]
        handlers += [CaptchaController, TokenController, SessionController, DeviceController, MeController]
        handlers += [IdentityController, JoinController, HistoryController, WorkspaceLoginController]
        handlers += [*METHOD_CONTROLLERS, *DATA_CONTROLLERS]
        return GivenOnce(
            "/v1",
            route_handlers=[*handlers, *ROLE_CONTROLLERS, *SUPPORT_CONTROLLERS],
            guards=[proved],
            after_request=kept_by_nobody,
            dependencies={
                "caller": Provide(caller_of, sync_to_thread=False),
                "lang": Provide(lang_of, sync_to_thread=False),
            },
        )

    def _workspace(self) -> list[Router]:
        if not self.settings.is_demo:
            workspace.static_files.expect_scripts()
        is_demo = self.settings.is_demo
        return workspace.router.routers(
            self.db, self.kit, self.clock, self.settings.public_url, shares_origin=is_demo
        )

    @asynccontextmanager
    async def _life(self, _: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            outside = self.outside
            for one in (self.db, self._reader, outside.http, outside.sms_http, outside.certificates):
                stack.push_async_callback(one.close)
            if outside.smpp is not None:
                stack.push_async_callback(outside.smpp.close)
            await admit(self.db, self.kit.keys, now=self.clock.now())
            heads = Heads(self.db, self.kit.journal, self.settings.journal_heads)
            await stack.enter_async_context(leaving(heads))
            await stack.enter_async_context(self.bell)
            worker = (
                tasks.worker_of(self.db, self.kit, self.clock, self.bell, self.outside.http)
                if self.carry_worker
                else None
            )
            running = tasks.running(
                self.db,
                self.clock,
                self.kit,
                self.entry,
                worker,
                tasks.nightly_of(self.db, self.kit, self.clock, self.outside.http),
                self.settings.limits,
                self.post,
                (self.texts, self.pushes),
            )
            await stack.enter_async_context(running)
            yield


def _on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What no route has answered: a page where pages are, a problem elsewhere."""
    if f"{request.url.path}/".startswith("/workspace/"):
        return workspace.refusals.wrong_method(request, error)
    return problems.on_http_exception(request, error)


def create_app(settings: Settings, *, clock: Clock | None = None, carry_worker: bool | None = None) -> App:
    """The application for these settings."""
    return App(settings, clock=clock, carry_worker=carry_worker)


def from_environment() -> Edge:
    """What each server process runs: the application for this process's environment."""
    logs.set_up(quiet=False)
    app = create_app(with_keys(load(os.environ))).asgi
    keep_loaded()
    return app
