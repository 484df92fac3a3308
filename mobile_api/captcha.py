"""The challenge against robots: `GET /v1/captcha` (rule 153)."""

from __future__ import annotations

from litestar import Controller, get
from litestar.di import NamedDependency

from backend.accounts.door import Door
from backend.openness import Openness
from backend.outside.clock import Clock
from mobile_api import schemas_ways_in as forms


class CaptchaController(Controller):
    """ALTCHA, served by ourselves."""

    tags = ["captcha"]

    @get(
        "/captcha",
        operation_id="getCaptcha",
        open_to=Openness.ANYBODY,
        summary="Thử thách chống máy tự động · A captcha challenge",
    )
    async def captcha(self, door: NamedDependency[Door], clock: NamedDependency[Clock]) -> forms.ChallengeOut:
        """An ALTCHA challenge of version 2, alive for five minutes, good for one call."""
        made = door.captcha.challenge(clock.now())
        return forms.ChallengeOut(parameters=made["parameters"], signature=made["signature"])
