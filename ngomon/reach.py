"""How the doctor reaches one counterpart: a real connection, and never a message, a mail, a push or a write."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import httpcore2
import msgspec

from backend.db import new_id
from backend.kit import Kit
from backend.outbox.delivery import target_of
from backend.outbox.models import System
from backend.outside.addresses import AddressRefused
from backend.outside.connectors import connect
from backend.outside.connectors.kinds import kind_of
from backend.outside.eid.eid import EId
from backend.outside.http import Guarded
from backend.outside.messages.mail import Mailbox, MailUnreachable
from backend.outside.messages.smpp import Lost, Refused, SmppSms
from backend.outside.pinned import PinnedNetwork
from backend.outside.trust import trusted
from backend.support.post import CASE

PATIENCE = 5.0  # seconds with one step
BROKEN = 500
UNLISTED = "it is private, not encrypted or at an odd port, and NGOMON_ALLOWED_PRIVATE_HOSTS does not list it"
AWAY = (502, 503, 504)  # said by somebody in front of a counterpart that is not there
PORTS = {
    "http": 80,
    "https": 443,
    "imap": 143,
    "imaps": 993,
    "smtp": 25,
    "smtps": 465,
    "kannel": 13013,
    "smpp": 2775,
}
FIREBASE = "https://fcm.googleapis.com"
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"


class Ill(Exception):
    """What is wrong, in words for the operator; no secret and no answer of anybody stands in them."""


async def eid(provider: EId, http: Guarded) -> str:
    """Discovery where the flavour has one, and every address that a sign-in calls."""
    places = await provider.called()
    statuses = await asyncio.gather(*(_status(http, url) for url in places.values()))
    found = dict(zip(places, statuses, strict=True))
    if found.get("keys", 200) != 200:
        raise Ill(f"its keys cannot be read: {found['keys']}")
    for name, status in found.items():
        if status >= BROKEN:  # a healthy one says that it was not asked as it should be
            raise Ill(f"{name} {place_of(places[name])} answers {status}")
    said = ", ".join(f"{name} {place_of(places[name])} answers {status}" for name, status in found.items())
    began = "discovery read; " if provider.provider.flavour.paths is None else "no discovery; "
    return f"{began}{said} (asked without a sign-in)"


async def registry(url: str, http: Guarded) -> str:
    """Any answer at its base address: a look-up would be about somebody."""
    return f"{place_of(url)} answers {await _status(http, url)} (nobody was looked up)"


async def kannel(url: str, http: Guarded) -> str:
    """A connection where messages would be handed over, under the same rule."""
    parts = urlsplit(url)
    network = PinnedNetwork(http.allowed, encrypted=False)
    try:
        stream = await network.connect_tcp(parts.hostname or "", parts.port or PORTS["kannel"], PATIENCE)
    except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
        raise Ill(f"{place_of(url)} takes no connection") from error
    await stream.aclose()
    return f"{place_of(url)} takes connections (nothing was sent, the password is not tried)"


async def sms(url: str, http: Guarded) -> str:
    """Where messages would be handed over; a centre is bound to and left again, for that sends nothing."""
    if not url.startswith("smpp:"):
        return await kannel(url, http)
    try:
        await SmppSms(url, http.allowed, timeout=PATIENCE).try_binding()
    except Refused as refused:
        raise Ill(f"{place_of(url)} lets us in neither by name nor by password: {refused}") from refused
    except (Lost, httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
        raise Ill(f"{place_of(url)} takes no connection") from error
    return f"{place_of(url)} lets us in (nothing was sent)"


async def push(credentials: str, endpoint: str) -> str:
    """Google's key file is readable, and its hosts answer the library that the SDK itself uses."""
    try:
        google = import_module("firebase_admin.credentials")
        requests = import_module("requests")
    except ModuleNotFoundError as error:
        raise Ill(f"{error.name} is missing: pip install 'ngomon[push]'") from error
    try:
        await asyncio.to_thread(google.Certificate, credentials)
        tokens = msgspec.json.decode(await asyncio.to_thread(Path(credentials).read_bytes)).get("token_uri")
    except (ValueError, OSError) as error:
        raise Ill("NGOMON_FCM_CREDENTIALS holds no service account of Google") from error
    said = []
    for url in (endpoint or FIREBASE, tokens or GOOGLE_TOKENS):
        try:
            answer = await asyncio.to_thread(requests.get, url, timeout=PATIENCE, allow_redirects=False)
        except (requests.RequestException, ValueError) as error:
            raise Ill(f"{place_of(url)} does not answer: {type(error).__name__}") from error
        said.append(f"{place_of(url)} answers {answer.status_code}")
    return f"{', '.join(said)} (nothing was pushed)"


async def mailbox(url: str) -> str:
    """Signs in and looks into the folder; fetches and marks nothing."""
    await _hang_up(await _opened(url, tls=False))  # a host that is not there is told at once
    try:
        await Mailbox(url).fetch_new((CASE,), most=0)
    except MailUnreachable as error:
        raise Ill(f"{place_of(url)} does not let us in ({error})") from error
    return f"{place_of(url)} lets us in (no mail was read)"


async def mail_server(url: str) -> str:
    """The greeting of the server that mails leave by (RFC 5321, section 3.1)."""
    reader, writer = await _opened(url, tls=url.startswith("smtps:"))
    try:
        greeting = await reader.readline()
        writer.write(b"QUIT\r\n")
    finally:
        await _hang_up((reader, writer))
    if not greeting.startswith(b"220"):
        raise Ill(f"{place_of(url)} does not greet as a mail server")
    return f"{place_of(url)} greets (no mail was sent, a password is not tried)"


async def system(found: System, kit: Kit, http: Guarded) -> str:
    """Signs in and looks for somebody who is nobody: what a delivery does before it writes."""
    if "no_read_back" in kind_of(found.kind).cannot:
        return await _told(found, http)
    connector = await connect(found.kind, target_of(kit, found), http)
    try:
        await connector.read(str(new_id()), None)
    finally:
        await connector.close()
    return f"{found.kind} at {place_of(found.url)} lets us read"


async def _told(found: System, http: Guarded) -> str:
    """A system that cannot be asked: any answer at its address, and nothing is told."""
    where = f"{found.kind} at {place_of(found.url)}"
    if not found.url.startswith(("http:", "https:")):
        return f"{where} is only told, and was not reached"
    return f"{where} answers {await _status(http, found.url)} (nothing was told)"


def why(error: BaseException) -> str:
    """What lies under an error and is mended elsewhere than the rest; nothing where it says everything itself."""
    seen: BaseException | None = error
    while seen is not None:
        match seen:
            case ssl.SSLCertVerificationError():
                return f"its TLS certificate is not trusted ({seen.verify_message})"
            case ssl.SSLError():
                return f"no TLS comes about ({seen.reason})"
            case socket.gaierror():
                return "its host has no address"
            case AddressRefused():
                return UNLISTED
        seen = seen.__cause__ or seen.__context__
    return ""


def place_of(url: str) -> str:
    """Host and port of an address, without what may be secret in it."""
    parts = urlsplit(url)
    port = parts.port or PORTS.get(parts.scheme)
    host = parts.hostname or f"{parts.scheme}:"
    return f"{host}:{port}" if port else host


async def _status(http: Guarded, url: str) -> int:
    answer = await http.request("GET", url, timeout=PATIENCE)
    if answer.status_code in AWAY:
        raise Ill(f"{place_of(url)} answers {answer.status_code}")
    return answer.status_code


async def _opened(url: str, *, tls: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    port = parts.port or PORTS[parts.scheme]
    context = trusted() if tls else None
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.open_connection(parts.hostname, port, ssl=context)
    except (OSError, TimeoutError) as error:
        raise Ill(f"{place_of(url)} takes no connection") from error


async def _hang_up(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    connection[1].close()
    with suppress(OSError):
        await connection[1].wait_closed()
