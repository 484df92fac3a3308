"""The stand-in authority on the wire: OCSP, CRL, and the tokens that the demo's phone page signs with."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import MediaType
from litestar.response import Stream
from msgspec import Meta

from backend.outside.certificates.certificates import PREFIX
from demo.ca import Mood, NotForDemo, StandInCa
from demo.pages import Visit, json_of, own_page_only
from workspace.given_once import GivenOnce

DRIP_SECONDS = 30
OCSP_MOST = 4096
OCSP = "application/ocsp-response"
CRL = "application/pkix-crl"


class _NewToken(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    identifier: str
    name: str


class _ToSign(msgspec.Struct, forbid_unknown_fields=True):
    key_id: str
    challenge: Annotated[str, Meta(max_length=2000)]
    pin: Annotated[str, Meta(pattern=r"^[0-9]{6}\Z")]


class _Named(msgspec.Struct, forbid_unknown_fields=True):
    key_id: str


class _Switch(msgspec.Struct, forbid_unknown_fields=True):
    mood: Mood


class AuthorityDoor(Controller):
    """What whoever relies on certificates asks."""

    path = "/demo/ca"

    @post("/ocsp", status_code=200)
    async def ocsp(self, request: Visit, ca: NamedDependency[StandInCa]) -> Response[Any]:
        """RFC 6960 over HTTP (appendix A)."""
        body = await request.body()
        if ca.mood in (Mood.DOWN, Mood.NO_OCSP) or len(body) > OCSP_MOST:
            return _down()
        try:
            return _told(ca, ca.answer(body), OCSP)
        except ValueError:
            return json_of({"error": "malformed_request"}, 400)

    @get("/crl")
    async def crl(self, ca: NamedDependency[StandInCa]) -> Response[Any]:
        """The list of revoked certificates."""
        return _down() if ca.mood is Mood.DOWN else _told(ca, ca.revocation_list(), CRL)

    @get("/root.pem")
    async def root(self, ca: NamedDependency[StandInCa]) -> Response[bytes]:
        """What to trust."""
        return Response(ca.root_pem, media_type="application/x-pem-file")

    @post("/switch", guards=[own_page_only], status_code=200)
    async def switch(self, request: Visit, ca: NamedDependency[StandInCa]) -> Response[bytes]:
        """Break or heal the answers about revocation: `{"mood": "well"|"down"|…}`."""
        try:
            ca.mood = msgspec.json.decode(await request.body(), type=_Switch).mood
        except msgspec.DecodeError:
            return json_of({"error": "unknown_mood", "known": [mood.value for mood in Mood]}, 400)
        return json_of({"mood": ca.mood})


class TokenDoor(Controller):
    """Signing SIMs and USB tokens as the demo's phone page holds them."""

    path = "/demo/signing"
    guards = [own_page_only]

    @post("/certificates", status_code=201)
    async def issue(self, request: Visit, ca: NamedDependency[StandInCa]) -> Response[bytes]:
        """A token for an invented holder: `{"kind","identifier","name"}` → `{"certificate","key_id"}`."""
        try:
            wanted = msgspec.json.decode(await request.body(), type=_NewToken)
            return json_of(ca.issue(wanted.kind, wanted.identifier, wanted.name), 201)
        except NotForDemo as error:
            return json_of({"error": "not_for_demo", "message": str(error)}, 422)
        except msgspec.DecodeError:
            return json_of({"error": "kind, identifier and name are wanted"}, 400)

    @post("/signatures", status_code=200)
    async def sign(self, request: Visit, ca: NamedDependency[StandInCa]) -> Response[bytes]:
        """What the token signs after its PIN (any six digits): `{"key_id","challenge","pin"}` → `{"signature"}`.

        It signs sign-in challenges only, as the screen of a careful token would show (case TK06).
        """
        try:
            wanted = msgspec.json.decode(await request.body(), type=_ToSign)
        except msgspec.DecodeError:
            return json_of({"error": "key_id, challenge and a pin of six digits are wanted"}, 400)
        if not wanted.challenge.startswith(PREFIX + "\n"):
            return json_of({"error": "not_a_challenge"}, 422)
        signature = ca.sign(wanted.key_id, wanted.challenge)
        if signature is None:
            return json_of({"error": "no_such_token"}, 404)
        return json_of({"signature": base64.b64encode(signature).decode()})

    @post("/revocations", status_code=200)
    async def revoke(self, request: Visit, ca: NamedDependency[StandInCa]) -> Response[bytes]:
        """Take a token's certificate back, as when it was lost: `{"key_id"}`."""
        try:
            wanted = msgspec.json.decode(await request.body(), type=_Named)
        except msgspec.DecodeError:
            return json_of({"error": "key_id is wanted"}, 400)
        known = ca.revoke(wanted.key_id)
        return json_of({"revoked": known}, 200 if known else 404)


def ca_router(ca: StandInCa) -> Router:
    """The routes of the stand-in authority."""
    return GivenOnce(
        "/",
        route_handlers=[AuthorityDoor, TokenDoor],
        dependencies={"ca": Provide(lambda: ca, sync_to_thread=False)},
        include_in_schema=False,
    )


def _told(ca: StandInCa, content: bytes, media_type: str) -> Response[Any]:
    if ca.mood is Mood.GARBAGE:
        content = b"<html>captive portal</html>"
    if ca.mood is Mood.DRIP:
        return Stream(_dripping(content), media_type=media_type)
    return Response(content, media_type=media_type, headers={"Cache-Control": "no-store"})


async def _dripping(content: bytes) -> AsyncIterator[bytes]:
    for place in range(min(len(content), DRIP_SECONDS)):
        yield content[place : place + 1]
        await asyncio.sleep(1)


def _down() -> Response[bytes]:
    return Response(b"", status_code=503, media_type=MediaType.TEXT, headers={"Retry-After": "30"})
