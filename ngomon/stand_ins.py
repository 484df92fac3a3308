"""What a demo has instead of the world: the shape that the product knows, and the one place that loads it.

The stand-ins themselves are the package `demo`, which builds on this one; so it is loaded by name, only when somebody
runs a demo, and a plain install need not have what it is made of.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from litestar import Router

from backend.db import Database
from backend.errors import CannotStart
from backend.kit import Kit
from backend.outbox.official_mail import OfficialMail
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from backend.outside.messages.push import Push
from backend.outside.messages.sms import Sms
from backend.settings import Settings

MADE_OF = ("scim2_models", "scim2_server")  # loaded when a stand-in system is first asked for something
OURS = {"ngomon", "backend", "mobile_api", "workspace"}


class NotInstalled(CannotStart):
    """The demo was asked for where it is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the demo is not installed here: pip install 'ngomon[demo]' (in a checkout: make run)"
        )


class StandIns(Protocol):
    """e-ID, authority, inbox, systems: what `demo.stand.Stand` offers to the composition."""

    @property
    def sms(self) -> Sms:
        """What keeps every message for whoever looks into the inbox."""

    @property
    def push(self) -> Push:
        """As `sms`."""

    @property
    def root_pem(self) -> bytes:
        """The authority whose certificates are believed."""

    def routes(self) -> list[Router]:
        """The stand-ins' pages and protocols."""

    def official_mail(self, db: Database, kit: Kit, http: Guarded) -> OfficialMail:
        """What sets the passwords of the official mail."""


def stand_ins(settings: Settings, clock: Clock) -> StandIns:
    """The stand-ins that these settings ask for."""
    made: StandIns = part("stand").Stand(settings, clock)
    return made


def part(name: str) -> Any:
    """A module of the demo; raises NotInstalled where it, or what it is made of, is missing."""
    try:
        found, made_of = import_module(f"demo.{name}"), [find_spec(one) for one in MADE_OF]
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        raise NotInstalled from error
    if None in made_of:
        raise NotInstalled
    return found
