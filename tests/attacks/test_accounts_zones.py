"""Decisions do not hang on the time zone of the server or of the database (TO09)."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from tests.citizen import Citizen
from tests.phone import Phone
from tests.service import Service


async def begun(citizen: Citizen, phone: Phone) -> str:
    """A recovery by personal number; its address."""
    answer = await phone.open("/v1/recoveries", {"national_id": citizen.person.national_id})
    assert answer.status_code == 201, answer.text
    return f"/v1/recoveries/{answer.json()['id']}"


async def test_to09_other_time_zones_of_server_and_database_decide_alike(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not service.db.is_sqlite:
        async with service.db.write() as tx:
            name = await tx.scalar(text("SELECT current_database()"))
            await tx.execute(text(f"ALTER DATABASE {name} SET timezone TO 'Asia/Ho_Chi_Minh'"))
        await service.db.engine.dispose()  # the next connections have it
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        citizen = await Citizen.new(service).register()
        phone = service.phone()
        at = await begun(citizen, phone)
        code = await citizen.code()
        service.pass_time(seconds=299)
        assert (await phone.open(f"{at}/otp", {"code": code})).status_code == 200
        seen = []
        for wait in (61, 30, 31):
            service.pass_time(seconds=wait)
            asked = {"national_id": citizen.person.national_id}
            seen.append((await phone.open("/v1/recoveries", asked)).status_code)
        assert seen == [201, 429, 201]
        late = await begun(await Citizen.new(service).register(), service.phone())
        service.pass_time(seconds=301)
        assert (await phone.open(f"{late}/otp", {"code": "123456"})).status_code in (404, 410)
    finally:
        monkeypatch.undo()
        time.tzset()
