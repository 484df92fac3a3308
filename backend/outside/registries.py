"""Asks the carriers' subscriber registry and the social-insurance registry who somebody is (rule 130)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import quote

import msgspec
import structlog

from backend.errors import Unavailable
from backend.names import proves_birth_date, same_name
from backend.outside.addresses import HttpTrouble

if TYPE_CHECKING:
    from backend.outside.http import Guarded

log = structlog.get_logger("registries")
Row = TypeVar("Row", bound=msgspec.Struct)


class RegistryUnavailable(Unavailable):
    """A registry does not answer, or not as agreed; nothing was decided."""

    code = "registry_unavailable"
    title = "Cơ sở dữ liệu đối chiếu chưa phản hồi, vui lòng thử lại sau ít phút"


class Subscriber(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who a phone number is registered to; a registry that cannot say when its SIM was changed names no time."""

    phone: str
    national_id: str
    full_name: str
    birth_date: str
    active: bool
    sim_changed_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Insured(msgspec.Struct, frozen=True):
    """Who a social-insurance number belongs to."""

    social_insurance_number: str
    national_id: str
    full_name: str
    birth_date: str


class Registries:
    """Both registries, as the settings name them; one that is not named is out of reach."""

    def __init__(self, http: Guarded, *, subscribers: str, social_insurance: str, timeout: float) -> None:
        self._http, self._timeout = http, timeout
        self._subscribers, self._social_insurance = subscribers.rstrip("/"), social_insurance.rstrip("/")

    async def subscriber(self, phone: str) -> Subscriber | None:
        """Whose number this is (E.164), or nothing; raises RegistryUnavailable when that cannot be said."""
        found = await self._ask(self._subscribers, f"/subscribers/{quote(phone, safe='+')}", Subscriber)
        if found is not None and found.phone != phone:
            raise _unavailable("another_phone")
        return found

    async def insured(self, number: str) -> Insured | None:
        """Whose social-insurance number this is, or nothing; raises RegistryUnavailable."""
        found = await self._ask(self._social_insurance, f"/people/{quote(number, safe='')}", Insured)
        if found is not None and found.social_insurance_number != number:
            raise _unavailable("another_number")
        return found

    async def _ask(self, base: str, path: str, kind: type[Row]) -> Row | None:
        if not base:
            raise _unavailable("not_configured")
        try:
            answer = await self._http.request("GET", base + path, timeout=self._timeout)
        except HttpTrouble as error:
            raise _unavailable(type(error).__name__) from error
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise _unavailable(f"status_{answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=kind, strict=True)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _unavailable("shape") from error


def agrees(found: Subscriber | Insured, *, national_id: str, full_name: str, birth_date: str) -> bool:
    """Number, name, and all that the registry knows of the birth date are the same (rule 131)."""
    return (
        found.national_id == national_id
        and proves_birth_date(birth_date, found.birth_date)
        and same_name(found.full_name, full_name)
    )


def _unavailable(reason: str) -> RegistryUnavailable:
    log.warning("registry_unavailable", reason=reason)
    return RegistryUnavailable(retry_after=30)
