"""The SMS centre itself over SMPP 3.4: binds as a transmitter, hands messages over, and reads what became of each.

One session is kept and shared, because centres allow few; after a pause it is asked whether it still lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import struct
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import httpcore2

from backend.outside.addresses import Allowed, HttpTrouble
from backend.outside.messages.sms import SmsUnavailable, SmsUncertain
from backend.outside.pinned import PinnedNetwork

PORT = 2775
HEADER = struct.Struct(">IIII")  # length of all, command, status, sequence number
LONGEST = 4096  # bytes of a unit that is read; what a centre says to a transmitter is short
ANSWER = 0x80000000  # of a command; alone: "not understood"
BIND, SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x00000002, 0x00000004, 0x00000005, 0x00000006, 0x00000015
VERSION = 0x34
QUIET = 2.0  # seconds after which a session is asked before it is used
GSM, UCS2 = 0, 8  # data_coding
LONG = 0x40  # esm_class: the text begins with a header of pieces
ONE, PIECE = {GSM: 160, UCS2: 70}, {GSM: 153, UCS2: 67}  # letters of a message, and of a piece of a long one
MOST = 10  # pieces
# 3GPP TS 23.038: where its alphabet differs from ASCII; whatever is not in it goes as UCS-2
OTHERWISE = {"@": b"\x00", "$": b"\x02", "_": b"\x11"} | {
    sign: b"\x1b" + code
    for sign, code in zip("^{}\\[~]|", (b"\x14", b"(", b")", b"/", b"<", b"=", b">", b"@"), strict=True)
}
SAME = frozenset("\n\r !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Refused(Exception):
    """The centre lets nobody in by this name; `status` is what it said."""

    def __init__(self, status: int) -> None:
        super().__init__(f"0x{status:08x}")


class Lost(Exception):
    """The session ended, or fell silent, before the answer was there."""


class Session:
    """One connection on which several questions may be open; what the centre asks by itself is answered."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._number = 0
        self._writing = asyncio.Lock()
        self._open: dict[int, tuple[int, asyncio.Future[int]]] = {}  # by number: what was asked
        self._is_over = False
        self._heard = time.monotonic()
        self._reader = asyncio.create_task(self._read())

    async def bind(self, name: str, password: str, kind: str, timeout: float) -> None:
        """Say who we are; raises Refused or Lost."""
        body = b"".join(text.encode() + b"\0" for text in (name, password, kind)) + bytes((VERSION, 0, 0, 0))
        if status := await self.ask(BIND, body, timeout):
            raise Refused(status)

    async def ask(self, command: int, body: bytes, timeout: float) -> int:
        """What the centre answers: 0 is yes; raises Lost."""
        if self._is_over:
            raise Lost
        self._number = self._number % 0x7FFFFFFF + 1
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._open[self._number] = command, answer
        number = self._number
        try:
            async with asyncio.timeout(timeout):
                await self._write(command, 0, number, body, timeout)
                return await answer
        except (TimeoutError, httpcore2.WriteError, httpcore2.WriteTimeout) as error:
            raise Lost from error
        finally:
            self._open.pop(number, None)

    async def lives(self, timeout: float) -> bool:
        """Whether it can be used: heard of just now, or answering."""
        if self._is_over or time.monotonic() - self._heard < QUIET:
            return not self._is_over
        with contextlib.suppress(Lost):
            return await self.ask(ENQUIRE, b"", timeout) == 0
        return False

    async def close(self) -> None:
        """Hang up; whoever waits is told."""
        self._reader.cancel()
        await asyncio.wait([self._reader])

    async def leave(self, timeout: float) -> None:
        """Say good-bye first, as the centre counts who is there."""
        with contextlib.suppress(Lost):
            await self.ask(UNBIND, b"", timeout)
        await self.close()

    async def _write(
        self, command: int, status: int, number: int, body: bytes, timeout: float | None
    ) -> None:
        unit = HEADER.pack(HEADER.size + len(body), command, status, number) + body
        async with self._writing:
            await self._stream.write(unit, timeout)

    async def _read(self) -> None:
        try:
            while await self._one():
                self._heard = time.monotonic()
        except (httpcore2.ReadError, httpcore2.WriteError, Lost):
            pass
        finally:
            self._is_over = True
            for _, answer in self._open.values():
                if not answer.done():
                    answer.set_exception(Lost())
            await self._stream.aclose()

    async def _one(self) -> bool:
        """Read one unit and do what it wants; False when the centre said good-bye."""
        length, command, status, number = map(int, HEADER.unpack(await self._bytes(HEADER.size)))
        if not HEADER.size <= length <= LONGEST:
            raise Lost
        await self._bytes(length - HEADER.size)
        if command & ANSWER:
            asked, answer = self._open.get(number, (None, None))
            # a yes to something else is none
            fits = asked is not None and command in (asked | ANSWER, ANSWER)
            if answer is not None and fits and not answer.done():
                answer.set_result(status or int(command == ANSWER))
            return True
        body = b"\0" if command == DELIVER else b""
        known = command in (ENQUIRE, DELIVER, UNBIND)
        await self._write(command | ANSWER if known else ANSWER, 0 if known else 3, number, body, None)
        return command != UNBIND

    async def _bytes(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            more = await self._stream.read(count - len(found))
            if not more:
                raise Lost
            found += more
        return found


class SmppSms:
    """The centre at `smpp://user:pass@host:port/?from=SENDER`; `timeout` in seconds."""

    def __init__(self, url: str, allowed: Allowed, *, timeout: float) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._host, self._port = parts.hostname or "", parts.port or PORT
        self._login = unquote(parts.username or ""), unquote(parts.password or "")
        self._kind = query.get("system_type", [""])[0]
        self._sender = query.get("from", ["NGOMON"])[0]
        self._network, self._timeout = PinnedNetwork(allowed, encrypted=False), timeout
        self._session: Session | None = None
        self._turn = asyncio.Lock()

    async def send(self, to: str, text: str, *, message_id: str) -> None:  # noqa: ARG002 - a centre gives its own
        """Hand the message over, in pieces where it is long; once one of them was taken, a no is no clear one."""
        try:
            session = await self._bound()
        except (Refused, Lost, HttpTrouble, httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise SmsUnavailable(retry_after=60) from error
        for number, unit in enumerate(units(self._sender, to, text)):
            try:
                status = await session.ask(SUBMIT, unit, self._timeout)
            except Lost as error:
                await session.close()  # what is said later must not be taken for the answer to another
                raise SmsUncertain from error
            if status:
                raise SmsUncertain if number else SmsUnavailable(retry_after=60)

    async def try_binding(self) -> None:
        """Be let in and leave again, for the doctor; raises Refused, Lost or what connecting raises."""
        session = await self._bound()
        await session.leave(self._timeout)

    async def close(self) -> None:
        """Leave, when the product stops."""
        if self._session is not None:
            await self._session.leave(1.0)

    async def _bound(self) -> Session:
        async with self._turn:
            if self._session is not None:
                if await self._session.lives(self._timeout):
                    return self._session
                await self._session.close()
            stream = await self._network.connect_tcp(self._host, self._port, self._timeout)
            session = Session(stream)
            try:
                await session.bind(*self._login, self._kind, self._timeout)
            except BaseException:
                await session.close()
                raise
            self._session = session
            return session


def units(sender: str, to: str, text: str) -> Iterator[bytes]:
    """The bodies of `submit_sm` that carry the text; one that would need more than MOST pieces is cut."""
    coding = GSM if all(sign in SAME or sign in OTHERWISE for sign in text) else UCS2
    letters = [_letter(sign, coding) for sign in text]
    size = 1 if coding == GSM else 2
    head = _head(sender, to)
    if sum(map(len, letters)) <= ONE[coding] * size:
        yield _unit(head, 0, coding, b"".join(letters))
        return
    pieces = list(_pieces(letters, PIECE[coding] * size))[:MOST]
    name = secrets.randbelow(256)
    for number, piece in enumerate(pieces, 1):
        yield _unit(head, LONG, coding, bytes((5, 0, 3, name, len(pieces), number)) + piece)


def _letter(sign: str, coding: int) -> bytes:
    if coding == UCS2:
        return sign.encode("utf-16-be")
    return OTHERWISE.get(sign) or sign.encode()


def _pieces(letters: list[bytes], size: int) -> Iterator[bytes]:
    """No letter is cut in two."""
    piece = b""
    for letter in letters:
        if len(piece) + len(letter) > size:
            yield piece
            piece = b""
        piece += letter
    yield piece


def _head(sender: str, to: str) -> bytes:
    kind = (0, 0) if sender.isdecimal() else (5, 0)  # a short code, or a name
    source = bytes(kind) + sender.encode("ascii", "replace")[:20] + b"\0"
    return b"\0" + source + bytes((1, 1)) + to.removeprefix("+").encode() + b"\0"


def _unit(head: bytes, how: int, coding: int, content: bytes) -> bytes:
    """No protocol, no priority, now, as long as the centre keeps it, no receipt wanted."""
    return head + bytes((how, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0, len(content))) + content
