"""The demo's stand-ins as one piece: e-ID, inbox for SMS and push, three downstream systems."""

from __future__ import annotations

from pathlib import Path

from litestar import Router

import demo
from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from backend.settings import Settings
from demo.ca import StandInCa
from demo.ca_http import ca_router
from demo.eid import StandInEid
from demo.eid_clients import EidClient
from demo.eid_others import OtherEids
from demo.inbox import Inbox, InboxPush, InboxSms
from demo.mail import DemoMail, StandInMail, mail_router
from demo.people import residents
from demo.persona import PERSONAS
from demo.registries import StandInRegistries, registries_router
from demo.scim import stand_in_systems
from demo.steps import Steps, steps_router


class Stand:
    """What a demo profile has instead of the world; whatever the settings name is the real thing instead."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._public_url = settings.public_url
        self.inbox = Inbox(clock)
        self.sms = InboxSms(self.inbox)
        self.push = InboxPush(self.inbox)
        self.mail = StandInMail()
        returns = (settings.vneid.redirect_uri, f"{settings.public_url}/workspace/login/callback")
        client = EidClient(client_id="ngomon-demo", redirect_uris=returns, secret="demo")  # noqa: S106 - the stand-in's own
        self.eid = StandInEid(f"{settings.public_url}/demo/eid", [client], PERSONAS, clock)
        self.other_eids = OtherEids(settings, client, self.eid, clock)
        database = _database_file(settings)
        self.systems = stand_in_systems(clock, database)
        self.registries = StandInRegistries(residents(), _beside(database, "registries"))
        self.steps = Steps(self.eid, settings.vneid.redirect_uri, self.systems)
        self.ca = StandInCa(f"{settings.public_url}/demo/ca", clock, _beside(database, "ca"))

    @property
    def root_pem(self) -> bytes:
        """The stand-in authority."""
        return self.ca.root_pem

    def routes(self) -> list[Router]:
        """The stand-ins' pages and protocols."""
        routes = demo.router(self._public_url, self.inbox, self.eid, self.systems)
        routes += self.other_eids.routes()
        routes += [registries_router(self.registries), ca_router(self.ca), mail_router(self.mail)]
        return [*routes, steps_router(self.steps)]

    def official_mail(self, db: Database, kit: Kit, http: Guarded) -> DemoMail:
        """What sets the passwords of the official mail: a connected directory, else the stand-in."""
        return DemoMail(db, kit, http, self.mail)

    def system_url(self, name: str) -> str:
        """Where a stand-in system listens."""
        return f"{self._public_url}/demo/systems/{name}/scim/v2"


def _database_file(settings: Settings) -> Path | None:
    """The stand-in systems outlive a restart as the database does; beside PostgreSQL they do not."""
    kind, _, file = settings.database_url.partition(":///")
    return Path(file) if kind.startswith("sqlite") and file else None


def _beside(database: Path | None, name: str) -> Path | None:
    """A stand-in's own file next to the database, forgotten together with it."""
    return database.with_name(f"{database.stem}.system-{name}.json") if database else None
