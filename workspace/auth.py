"""Who sits at the browser: reads the session cookie, and keeps strangers' pages from pressing our buttons.

The cookie is Strict and `__Host-` (rule 821). An unsafe method needs a token bound to the session
and the browser's word that the page is ours (rule 822). Rights are not kept anywhere: `manager_of` asks the
database at every request (rule 616).
"""

from __future__ import annotations

import base64
import hmac
from typing import Any, cast
from urllib.parse import quote, urlsplit
from uuid import UUID

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.datastructures.state import State
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from backend.accounts.ways_in import browser
from backend.accounts.ways_in.browser import BrowserSession
from backend.crypto import KeyRing
from backend.db import Database
from backend.errors import Forbidden, Unproved
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock, local_day
from backend.roles import authority
from backend.roles.authority import Authority
from backend.roles.seated import seated

Visit = Request[BrowserSession | None, Any, State]
Connection = ASGIConnection[Any, Any, Any, Any]
SAFE = ("GET", "HEAD")
SEATED = "rights of who came"
TOKEN_FIELD, TOKEN_HEADER = "_csrf", "x-csrf-token"


class SignedOut(Unproved):
    """No session, or its time is over: the way leads to the sign-in page."""

    code = "signed_out"
    title = "Phiên đăng nhập đã kết thúc, vui lòng đăng nhập lại"


class ForeignPage(Forbidden):
    """The form was not ours, or is older than the session."""

    code = "foreign_page"
    title = "Thao tác không đến từ trang này hoặc trang đã cũ, vui lòng tải lại trang"


class Cookies(msgspec.Struct, frozen=True):
    """How the session cookies are called and set on this installation."""

    https: bool

    @property
    def session(self) -> str:
        """`__Host-ngomon`; on plain-http loopback browsers refuse that prefix (rule 820)."""
        return "__Host-ngomon" if self.https else "ngomon"

    @property
    def transaction(self) -> str:
        """Remembers, for minutes, which sign-in this browser began."""
        return f"{self.session}-login"

    @property
    def scanned(self) -> str:
        """Which code this browser shows to a phone (rule 313); no answer to it comes from outside, so it is strict."""
        return f"{self.session}-qr"

    def make(self, name: str, value: str, *, strict: bool, max_age: int) -> Cookie:
        """A cookie that scripts cannot read and other sites cannot send; age 0 takes it away."""
        return Cookie(
            name,
            value=value,
            path="/",
            max_age=max_age,
            httponly=True,
            secure=self.https,
            samesite="strict" if strict else "lax",
        )


class Known:
    """Whether somebody is signed in: asked before a file is read, for strangers need not send one."""

    def __init__(self, database: Database, kit: Kit, clock: Clock, public_url: str) -> None:
        self._database, self._kit, self._clock = database, kit, clock
        self._cookies = Cookies(https=public_url.startswith("https://"))

    async def __call__(self, scope: HTTPScope) -> bool:
        """By the cookie of the call."""
        token = Request[Any, Any, Any](scope).cookies.get(self._cookies.session)
        found = (
            await browser.session_of(self._database, self._kit, token, self._clock.now()) if token else None
        )
        return found is not None


class BrowserSessions:
    """The first guard: puts the session behind the cookie, or nothing, into `scope["user"]`; others judge it."""

    def __init__(self, database: Database, kit: Kit, clock: Clock, cookies: Cookies) -> None:
        self._database, self._kit, self._clock, self._cookies = database, kit, clock, cookies

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        """One look-up per request, so an ended session, or a right, is out at its very next click."""
        token, scope = connection.cookies.get(self._cookies.session), connection.scope
        found = await seated(self._database, self._kit, token, self._clock.now()) if token else None
        scope["user"] = found.session if found is not None else None
        if found is not None:
            scope["state"][TOKEN_FIELD] = token_of(self._kit.keys, found.session.session_id)
            scope["state"][SEATED] = found.who


async def rights_of(visit: Visit, session: BrowserSession, db: Database, kit: Kit, clock: Clock) -> Authority:
    """What whoever came may do, as it was read with the session of this very call."""
    now, read = clock.now(), visit.scope["state"].get(SEATED)
    if read is not None and read.today == local_day(now):
        return cast(Authority, read)
    async with db.read() as tx:
        return await authority.of(tx, kit, session.account_id, now=now)


async def signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of every page but those that say that they are open: raises SignedOut."""
    if connection.scope.get("user") is None and handler.opt.get("open_to") is not Openness.ANYBODY:
        raise SignedOut


class OwnPage:
    """Guard of everything that changes something: ForeignPage unless the form is ours (rule 822)."""

    def __init__(self, keys: KeyRing, public_url: str) -> None:
        self._keys, self._public_url = keys, public_url

    async def __call__(self, connection: Connection, _: BaseRouteHandler) -> None:
        """Both proofs, for every method that is not safe, also on routes that somebody adds later."""
        if _method(connection) in SAFE:
            return
        session: BrowserSession | None = connection.scope.get("user")
        if session is None or not is_same_origin(connection, self._public_url):
            raise ForeignPage
        sent = connection.headers.get(TOKEN_HEADER)
        if sent is None and isinstance(connection, Request):
            sent = (await connection.form()).get(TOKEN_FIELD)
        if not isinstance(sent, str) or not is_token(self._keys, session.session_id, sent):
            raise ForeignPage


def token_of(keys: KeyRing, session_id: UUID) -> str:
    """What the session's own forms carry."""
    return base64.urlsafe_b64encode(keys.mac("workspace form", session_id.bytes)).decode().rstrip("=")


def is_token(keys: KeyRing, session_id: UUID, sent: str) -> bool:
    """True for the session's token under any live key."""
    wanted = (keys.mac("workspace form", session_id.bytes, key_id) for key_id in keys.key_ids)
    texts = [base64.urlsafe_b64encode(mac).rstrip(b"=") for mac in wanted]
    return any(hmac.compare_digest(text, sent.encode("utf-8", "replace")) for text in texts)


def login_path(visit: Connection) -> str:
    """The sign-in page, remembering where a GET wanted to go, and a form that came too late (interrupted.py)."""
    if kept := visit.scope["state"].get("way_back"):
        return f"/workspace/login?why=ended&next={kept}"
    if _method(visit) not in SAFE or visit.url.path in {"/workspace", "/workspace/"}:
        return "/workspace/login"
    query = f"?{visit.url.query}" if visit.url.query else ""
    return f"/workspace/login?next={quote(visit.url.path + query, safe='')}"


def _method(connection: Connection) -> str:
    return str(connection.scope.get("method", ""))


def safe_next(path: str | None) -> str:
    """A place inside the workspace, whatever was asked (no open redirect)."""
    clean = path or ""
    inside = clean == "/workspace" or clean.startswith(("/workspace/", "/workspace?"))
    odd = any(mark in clean for mark in ("\\", "..", "//")) or not clean.isprintable() or not clean.isascii()
    return "/workspace" if odd or not inside or clean.startswith("/workspace/login") else clean


def is_same_origin(connection: Connection, public_url: str) -> bool:
    """By `Sec-Fetch-Site` where sent: a `no-referrer` page says `Origin: null` beside it (Fetch §3.2)."""
    origin, site = connection.headers.get("origin"), connection.headers.get("sec-fetch-site")
    ours = origin is not None and _is_ours(origin, public_url, connection.headers.get("host", ""))
    if site is None:
        return ours
    return site == "same-origin" and (ours or origin in {None, "null"})


def _is_ours(origin: str, public_url: str, host: str) -> bool:
    public, sent = urlsplit(public_url), urlsplit(origin)
    return sent.scheme == public.scheme and sent.netloc in {public.netloc, host}
