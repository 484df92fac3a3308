"""The stand-ins of the carriers' subscriber registry and of the social-insurance registry (rule 130).

Everybody in them is invented. A visitor may add people, and each registry can be broken and healed.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec
from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from backend.names import clean_name, read_birth_date
from backend.outside.registries import Insured, Subscriber
from demo.pages import Visit, json_of, own_page_only, page
from demo.people import Resident
from workspace.given_once import GivenOnce

SLOW_SECONDS = 12.0
NAME_MOST = 100
PHONE = re.compile(r"(?:\+84|0)(550\d{6})")
NATIONAL_ID = re.compile(r"000\d{9}|000\d{6}")
INSURANCE_NUMBER = re.compile(r"0000\d{6}")


class Mood(StrEnum):
    """How a registry answers: as agreed, or in one of the ways that a caller has to survive."""

    WELL = "well"
    DOWN = "down"  # 503 with Retry-After
    SLOW = "slow"  # longer than any patience
    WRONG_SHAPE = "wrong_shape"  # 200, but not the answer that was agreed
    MAYBE = "maybe"  # every other question is not answered


class NotARow(ValueError):
    """The row cannot be used: `field` says where, the text why, in both languages."""

    def __init__(self, field: str, vi: str, en: str) -> None:
        super().__init__(en)
        self.field, self.vi, self.en = field, vi, en


class _Store(msgspec.Struct):
    """What a visitor added, as it is kept beside the database."""

    subscribers: dict[str, Subscriber] = {}
    people: dict[str, Insured] = {}


class _Switch(msgspec.Struct, forbid_unknown_fields=True):
    registry: Literal["subscribers", "people"]
    mood: Mood


class StandInRegistries:
    """Both registries. `file` is where rows that were added outlive a restart, as the accounts do."""

    def __init__(self, residents: list[Resident], file: Path | None = None) -> None:
        self.subscribers = {row.phone: row for row in map(_subscriber_of, residents)}
        self.people = {row.social_insurance_number: row for row in map(_insured_of, residents)}
        self.moods = {"subscribers": Mood.WELL, "people": Mood.WELL}
        self._asked = itertools.count(1)
        self._file = file
        self._added = _Store()
        if file is not None and file.exists():
            self._added = msgspec.json.decode(file.read_bytes(), type=_Store)
            self.subscribers |= self._added.subscribers
            self.people |= self._added.people

    def add_subscriber(self, row: Subscriber) -> Subscriber:
        """Register a number to somebody, or change whose it is; raises NotARow for what could be real."""
        found = PHONE.fullmatch(re.sub(r"[\s.\-]", "", row.phone))
        if found is None:
            raise NotARow(
                "phone", "Số điện thoại thử có dạng 0550 xxx xxx.", "Demo numbers look like 0550 xxx xxx."
            )
        kept = msgspec.structs.replace(row, phone=f"+84{found[1]}", **_person(row))
        self.subscribers[kept.phone] = self._added.subscribers[kept.phone] = kept
        self._keep()
        return kept

    def add_insured(self, row: Insured) -> Insured:
        """Insure somebody under a number; raises NotARow."""
        number = row.social_insurance_number.strip()
        if not INSURANCE_NUMBER.fullmatch(number):
            raise NotARow(
                "social_insurance_number",
                "Mã số thử gồm 10 chữ số, bắt đầu bằng 0000.",
                "Demo numbers have 10 digits and begin with 0000.",
            )
        kept = Insured(social_insurance_number=number, **_person(row))
        self.people[number] = self._added.people[number] = kept
        self._keep()
        return kept

    async def answer(self, registry: str, row: Subscriber | Insured | None) -> Response[bytes]:
        """The row, or 404, or whatever the registry's mood makes of it."""
        mood, turn = self.moods[registry], next(self._asked)
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if mood is Mood.DOWN or (mood is Mood.MAYBE and turn % 2):
            return json_of({"error": "maintenance"}, 503, {"Retry-After": "30"})
        if mood is Mood.WRONG_SHAPE:
            return json_of({"result": "OK", "data": None})
        return json_of({"error": "not_found"}, 404) if row is None else json_of(row)

    def _keep(self) -> None:
        if self._file is not None:
            self._file.write_bytes(msgspec.json.encode(self._added))


def _subscriber_of(one: Resident) -> Subscriber:
    return Subscriber(one.phone, one.national_id, one.full_name, one.birth_date, active=True)


def _insured_of(one: Resident) -> Insured:
    return Insured(one.social_insurance_number, one.national_id, one.full_name, one.birth_date)


def _person(row: Subscriber | Insured) -> dict[str, str]:
    """Number, name and birth date of an invented person; raises NotARow."""
    number, name = re.sub(r"\s", "", row.national_id), clean_name(row.full_name)
    if not NATIONAL_ID.fullmatch(number):
        raise NotARow(
            "national_id",
            "Số định danh thử có 12 chữ số (CMND 9 chữ số) và bắt đầu bằng 000.",
            "A demo personal number has 12 digits (an old one 9) and begins with 000.",
        )
    if not 1 <= len(name) <= NAME_MOST or not name.isprintable():
        raise NotARow("full_name", "Hãy nhập họ và tên.", "Please enter a full name.")
    try:
        born = read_birth_date(row.birth_date)
    except ValueError:
        raise NotARow("birth_date", "Ngày sinh chưa đúng.", "The birth date is not valid.") from None
    return {"national_id": number, "full_name": name, "birth_date": born}


class RegistriesPage(Controller):
    """Both registries on the wire: what the product asks, and the page where a visitor looks after them."""

    path = "/demo/registries"

    @get("/")
    async def html(self, request: Visit) -> Response[bytes]:
        """The page, which keeps itself fresh."""
        return page(request, "registries.html")

    @get("/rows.json")
    async def listing(self, registries: NamedDependency[StandInRegistries]) -> Response[bytes]:
        """Everybody, the cast first and whoever was added last; and how each registry feels."""
        return json_of(
            {
                "subscribers": list(registries.subscribers.values()),
                "people": list(registries.people.values()),
                "moods": registries.moods,
            }
        )

    @get("/subscribers/{phone:str}")
    async def subscriber(
        self, phone: FromPath[str], registries: NamedDependency[StandInRegistries]
    ) -> Response[bytes]:
        """Whose number this is."""
        return await registries.answer("subscribers", registries.subscribers.get(phone))

    @get("/people/{number:str}")
    async def insured(
        self, number: FromPath[str], registries: NamedDependency[StandInRegistries]
    ) -> Response[bytes]:
        """Who is insured under this number."""
        return await registries.answer("people", registries.people.get(number))

    @post("/subscribers", guards=[own_page_only])
    async def add_subscriber(
        self, request: Visit, registries: NamedDependency[StandInRegistries]
    ) -> Response[bytes]:
        """Register an invented subscriber; the same number again changes whose it is."""
        try:
            row = msgspec.json.decode(await request.body(), type=Subscriber)
            return json_of(registries.add_subscriber(row), 201)
        except (msgspec.DecodeError, NotARow) as error:
            return _refused(error)

    @post("/people", guards=[own_page_only])
    async def add_insured(
        self, request: Visit, registries: NamedDependency[StandInRegistries]
    ) -> Response[bytes]:
        """Insure an invented person."""
        try:
            row = msgspec.json.decode(await request.body(), type=Insured)
            return json_of(registries.add_insured(row), 201)
        except (msgspec.DecodeError, NotARow) as error:
            return _refused(error)

    @post("/switch", guards=[own_page_only], status_code=200)
    async def switch(self, request: Visit, registries: NamedDependency[StandInRegistries]) -> Response[bytes]:
        """Break or heal one of them: `{"registry": "subscribers", "mood": "down"}`."""
        try:
            asked = msgspec.json.decode(await request.body(), type=_Switch)
        except msgspec.DecodeError:
            return json_of({"error": "unknown_mood", "known": [mood.value for mood in Mood]}, 400)
        registries.moods[asked.registry] = asked.mood
        return json_of({"moods": registries.moods})


def _refused(error: msgspec.DecodeError | NotARow) -> Response[bytes]:
    if isinstance(error, NotARow):
        return json_of({"error": "invalid", "field": error.field, "vi": error.vi, "en": error.en}, 422)
    return json_of({"error": "malformed"}, 400)


def registries_router(registries: StandInRegistries) -> Router:
    """The routes of both registries."""
    return GivenOnce(
        "/",
        route_handlers=[RegistriesPage],
        dependencies={"registries": Provide(lambda: registries, sync_to_thread=False)},
        include_in_schema=False,
    )
