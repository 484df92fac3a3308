"""A signing SIM or USB token as its owner uses it: the demo's own for the usual ways, bent ones for the attacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import msgspec
from cryptography import x509
from sqlalchemy import select

from backend.journal import Entry
from backend.outside.http import Guarded
from demo.ca import Mood
from tests.authority import Authority, Builder, Key, signed, subject
from tests.phone import Phone
from tests.service import Service

ABOUT = {"platform": "android", "name": "Điện thoại thử", "model": "Mẫu 1"}


class Token:
    """One certificate and what signs with its key."""

    def __init__(
        self, service: Service, certificate: str, *, key: Key | None = None, key_id: str = ""
    ) -> None:
        self.service, self.certificate, self.key, self.key_id = service, certificate, key, key_id

    @classmethod
    async def issued(cls, service: Service, kind: str, identifier: str, name: str = "Lê Thị Ký") -> Token:
        """A token of the demo's authority, over its HTTP endpoints."""
        body = {"kind": kind, "identifier": identifier, "name": name}
        answer = await service.http.post("/demo/signing/certificates", json=body)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        return cls(service, made["certificate"], key_id=made["key_id"])

    @classmethod
    def bent(
        cls,
        service: Service,
        holder: x509.Name | None = None,
        *,
        key: Key | None = None,
        change: Callable[[Builder], Builder] = lambda builder: builder,
    ) -> Token:
        """A certificate that the authority would never issue."""
        authority = Authority(service.stand.ca, service.clock, Guarded())
        certificate, made = authority.leaf(holder or subject(), key=key, change=change)
        return cls(service, certificate, key=made)

    async def signature(self, challenge: str) -> str:
        """What the token gives after its PIN."""
        if self.key is not None:
            return signed(self.key, challenge)
        body = {"key_id": self.key_id, "challenge": challenge, "pin": "123456"}
        answer = await self.service.http.post("/demo/signing/signatures", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["signature"])

    async def revoke(self) -> None:
        """Report it lost."""
        answer = await self.service.http.post("/demo/signing/revocations", json={"key_id": self.key_id})
        assert answer.status_code == 200, answer.text

    async def brought(self, phone: Phone, at: str, challenge: str) -> httpx2.Response:
        """Post certificate and signature."""
        body = {"certificate": self.certificate, "signature": await self.signature(challenge)}
        return await phone.open(f"{at}/sign", body)

    async def begin_login(self, phone: Phone) -> tuple[str, str]:
        """Where the sign-in is, and its challenge."""
        answer = await phone.open("/v1/logins", {"method": "certificate", "device": ABOUT})
        assert answer.status_code == 201 and answer.json()["step"] == "sign", answer.text
        return f"/v1/logins/{answer.json()['id']}", answer.json()["challenge"]

    async def sign_in(self, phone: Phone) -> httpx2.Response:
        """A whole sign-in, however it ends."""
        phone.session = {}
        answer = await self.brought(phone, *await self.begin_login(phone))
        if answer.status_code == 200:
            phone.keep(answer.json())
        return answer

    async def begin_registration(self, phone: Phone, kind: str, **more: Any) -> httpx2.Response:
        """The first call of a registration."""
        body = {"method": "certificate", "kind": kind, "certificate": self.certificate, "device": ABOUT}
        return await phone.open("/v1/registrations", body | more)

    async def register(
        self, phone: Phone, kind: str, *, email: str | None = None
    ) -> tuple[httpx2.Response, httpx2.Response | None]:
        """A whole registration: the answer to `sign`, and to `confirm` where it came so far."""
        begun = await self.begin_registration(phone, kind)
        assert begun.status_code == 201, begun.text
        at = f"/v1/registrations/{begun.json()['id']}"
        shown = await self.brought(phone, at, begun.json()["challenge"])
        if shown.status_code != 200:
            return shown, None
        done = await phone.open(f"{at}/confirm", {"email": email} if email else {})
        if done.status_code == 200:
            phone.keep(done.json())
        return shown, done


async def facts(service: Service, tag: str) -> list[dict[str, Any]]:
    """The journal's facts of one kind, in order."""
    async with service.db.read() as tx:
        rows = await tx.execute(select(Entry.fact).where(Entry.tag == tag).order_by(Entry.seq))
        return [msgspec.json.decode(row[0]) for row in rows]


async def last_reason(service: Service) -> str:
    """Why a certificate was turned away last, which only the journal knows."""
    return str((await facts(service, "certificate.refused"))[-1]["reason"])


def heal(service: Service) -> None:
    """The authority answers as it should."""
    service.stand.ca.mood = Mood.WELL
