"""A form that came when the session was over: kept for the same person, who signs in again and finds it (W05)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile
from litestar.handlers import BaseRouteHandler

from backend.accounts.ways_in import browser, forms_left
from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from workspace.auth import SAFE, TOKEN_FIELD, Connection, Cookies, is_same_origin, is_token

STATE = "way_back"
LONGEST = 20_000  # characters of a form that is kept
# forms that stand on the page above their address
ACTS = ("decision", "undo", "withdraw", "opened", "plan", "run", "reverse", "confirm", "appointments")
OPERATOR = "/workspace/operator"
OF_OPERATORS = ("plan", "end")  # below that page, and standing on it
ELSEWHERE = tuple(  # forms that stand on another page
    (re.compile(f"/workspace{sent}"), f"/workspace{page}")
    for sent, page in (
        ("/delegations/[^/]+/end", "/delegations"),
        ("/support/(joins|names)/[^/]+/(?:confirm|refuse)", r"/support/\1"),
        ("/support/counter", "/support"),
        ("/people/[^/]+/return", "/people"),
        ("/settings/.+", "/settings"),
        ("/filters", ""),
        ("/systems/[^/]+/replay", "/systems"),
        ("/systems/([^/]+)/(?:[a-z]+|deliveries/[^/]+/skip)", r"/systems/\1"),
    )
)


class Interrupted:
    """Guard before the one that wants a session: what was typed is not thrown away with the cookie."""

    def __init__(self, db: Database, kit: Kit, clock: Clock, cookies: Cookies, public_url: str) -> None:
        self._db, self._kit, self._clock = db, kit, clock
        self._cookies, self._public_url = cookies, public_url

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        """Keeps a form of ours whose session has ended; says nothing and refuses nothing itself."""
        if connection.scope.get("user") is not None or connection.scope["method"] in SAFE:  # type: ignore[typeddict-item]
            return
        cookie = connection.cookies.get(self._cookies.session)
        if (
            not cookie
            or not isinstance(connection, Request)
            or not is_same_origin(connection, self._public_url)
        ):
            return
        ended = await browser.ended_of(self._db, cookie)
        sent = await connection.form()
        token = connection.headers.get("x-csrf-token") or sent.get(TOKEN_FIELD)
        if (
            ended is None
            or not isinstance(token, str)
            or not is_token(self._kit.keys, ended.session_id, token)
        ):
            return
        for one in sent.values():
            if isinstance(one, UploadFile):
                await one.close()
        typed: dict[str, Any] = {
            name: [value for value in sent.getall(name) if isinstance(value, str)]  # a file is chosen again
            for name in dict.fromkeys(sent.keys())
            if name != TOKEN_FIELD
        }
        text, back = msgspec.json.encode(typed).decode(), _page_of(connection.url.path)
        if len(text) > LONGEST:
            return
        async with self._db.write() as tx:
            left = forms_left.Left(back, text)
            kept = await forms_left.keep(tx, self._kit, ended.account_id, left, now=self._clock.now())
        connection.scope["state"][STATE] = quote(f"{back}?kept={kept}", safe="")


def _page_of(path: str) -> str:
    for sent, stands in ELSEWHERE:
        if (found := sent.fullmatch(path)) is not None:
            return found.expand(stands)
    above, _, act = path.rpartition("/")
    if path.startswith(f"{OPERATOR}/") and act in OF_OPERATORS:
        return OPERATOR
    return above if act in ACTS else path
