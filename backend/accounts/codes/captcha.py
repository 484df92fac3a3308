"""ALTCHA, served by ourselves: a little work for the caller's device, checked without a third party.

Version 2 of the protocol: PBKDF2 rounds until the derived key begins with a zero byte.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import FieldError, FieldsInvalid, TooMany
from backend.kit import Kit
from backend.throttle import Window

ALGORITHM = "PBKDF2/SHA-256"
LONGEST = 4000
# what the derived key begins with, and how often the rounds of a try: the server computes one try whatever the level
LEVELS = (("00", 1), ("00", 4), ("000", 1), ("000", 4), ("0000", 1), ("0000", 4))
HARDEST = len(LEVELS) - 1


class Captcha:
    """Makes challenges and takes solutions, each once."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._life = kit.limits.captcha_seconds or 300
        self._on = kit.limits.captcha_seconds > 0

    def challenge(self, now: datetime, level: int = 0) -> dict[str, Any]:
        """A fresh challenge: `parameters` and their `signature` (rule 153), four times as hard a level."""
        import altcha  # it brings a client of HTTP along, which nobody uses

        prefix, times = LEVELS[level]
        made = altcha.create_challenge(
            ALGORITHM,
            self._kit.limits.captcha_cost * times,
            key_prefix=prefix,
            expires_at=int(now.timestamp()) + self._life,
            hmac_secret=self._kit.keys.derive("captcha"),
        )
        return dict(made.to_dict())

    def level_of(self, payload: str) -> int:
        """How hard the challenge is that `payload` solves, if `check` finds it to be one of ours."""
        parameters = _read(payload)["parameters"]
        prefix, cost = parameters.get("keyPrefix"), parameters.get("cost")
        own = {(start, self._kit.limits.captcha_cost * times): n for n, (start, times) in enumerate(LEVELS)}
        return own.get((prefix, cost), 0) if isinstance(prefix, str) and isinstance(cost, int) else 0

    def check(self, payload: str | None, now: datetime) -> str | None:
        """What `spend` needs of a right solution; raises FieldsInvalid on `captcha`."""
        import altcha

        if not self._on:
            return None
        text = payload or ""
        challenge = _read(text)
        expires = challenge["parameters"].get("expiresAt")
        if not isinstance(expires, int) or expires <= now.timestamp():
            raise _wrong()
        secrets = [self._kit.keys.derive("captcha", key_id) for key_id in self._kit.keys.key_ids]
        if not any(altcha.verify_solution(text, secret).verified for secret in secrets):
            raise _wrong()
        return str(challenge["signature"])

    async def spend(self, tx: AsyncSession, signature: str | None, *, now: datetime) -> None:
        """Use a solution up; the second use is as wrong as no solution."""
        if signature is None:
            return
        try:
            await self._kit.throttle.spend(tx, [("captcha", signature, [Window(1, 2 * self._life)])], now=now)
        except TooMany:
            raise _wrong() from None


def _read(payload: str) -> dict[str, Any]:
    """The challenge of the widget's base64 JSON, if it has the shape and the price of ours.

    The library checks the signature before it computes anything, so nobody chooses what we compute.
    """
    try:
        body = msgspec.json.decode(base64.b64decode(payload[: LONGEST + 1], validate=True))
        challenge, solution = body["challenge"], body["solution"]
        shaped = isinstance(solution, dict) and isinstance(challenge["signature"], str)
        challenge["parameters"].get("expiresAt")
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise _wrong() from error
    if not shaped:
        raise _wrong()
    return dict(challenge)


def _wrong() -> FieldsInvalid:
    return FieldsInvalid(
        FieldError(
            "captcha", "captcha_invalid", "Xác nhận chống máy tự động đã cũ hoặc chưa đúng, vui lòng thử lại"
        )
    )
