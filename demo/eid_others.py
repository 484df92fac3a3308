"""The demo's other e-IDs beside the plain one: the post office, the portal, VNeID itself. They know the same people."""

from __future__ import annotations

from collections import ChainMap

from litestar import Router

from backend.outside.clock import Clock
from backend.outside.eid.eid_envelope import envelope_key
from backend.settings import STAND_INS, Settings
from demo.eid import StandInEid
from demo.eid_clients import EidClient
from demo.eid_http import eid_router
from demo.eid_simulator import DirectSimulator, PortalSimulator
from demo.eid_simulator_http import simulator_router
from demo.persona import ENTERPRISES

POST_OFFICE = ("Tài khoản Bưu điện (bản thử)", "Post-office account (stand-in)")


class OtherEids:
    """VNeID itself seals with our key, so it is there when the settings name one."""

    def __init__(self, settings: Settings, client: EidClient, eid: StandInEid, clock: Clock) -> None:
        returns = (settings.post_office.redirect_uri,)
        second = EidClient(client.client_id, returns, secret=client.secret)
        issuer = f"{settings.public_url}/demo/post-office"
        self.post_office = StandInEid(issuer, [second], [], clock, title=POST_OFFICE)
        self.post_office.personas = eid.personas
        self.portal = PortalSimulator(settings.public_url + STAND_INS["portal"], [client], ENTERPRISES, clock)
        self.portal.personas = ChainMap(eid.personas, self.portal.personas)
        self.direct: DirectSimulator | None = None
        if settings.vneid.envelope_key:
            self.direct = DirectSimulator(
                settings.public_url + STAND_INS["vneid_direct"],
                [client],
                [],
                clock,
                key=envelope_key(settings.vneid.envelope_key).public_key(),
                cipher=settings.vneid.envelope_cipher,
                raw_code=settings.vneid.envelope_code == "raw",
            )
            self.direct.personas = eid.personas

    def routes(self) -> list[Router]:
        """Their pages and protocols."""
        simulators = [self.portal, self.direct] if self.direct else [self.portal]
        return [eid_router(self.post_office), *(simulator_router(one) for one in simulators)]
