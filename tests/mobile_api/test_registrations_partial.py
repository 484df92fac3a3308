"""Registering with what is known of a name and a birth date (rule 131; OpenID Connect Core §5.1)."""

from __future__ import annotations

import pytest

from tests.citizen import Citizen
from tests.service import Service


async def known(service: Service, *, full_name: str = "Nguyễn Văn Thử", birth_date: str) -> Citizen:
    """Somebody of whom the registry knows this much."""
    citizen = Citizen.new(service, full_name=full_name)
    citizen.subscribe(citizen.number, birth_date=birth_date)
    return citizen


@pytest.mark.parametrize("on_file", ["1950", "1950-00-00"])
@pytest.mark.parametrize("typed", ["1950", "1950-00-00", "1950-03-14"])
async def test_b10_somebody_of_whom_only_the_year_is_known_registers(
    service: Service, on_file: str, typed: str
) -> None:
    citizen = await known(service, birth_date=on_file)
    await citizen.register(birth_date=typed)
    page = (await citizen.phone.call("GET", "/v1/me/identity")).json()
    assert {one["name"]: one["value"] for one in page["attributes"]}["birth_date"] == "1950"


@pytest.mark.parametrize(
    ("on_file", "typed"), [("1950-03-14", "1950"), ("1950-03-14", "1950-03"), ("1951", "1950")]
)
async def test_who_types_less_than_is_on_file_has_not_said_when_he_was_born(
    service: Service, on_file: str, typed: str
) -> None:
    answer = await (await known(service, birth_date=on_file)).begin(birth_date=typed)
    assert answer.status_code == 422 and answer.json()["code"] == "registry_mismatch"


@pytest.mark.parametrize(
    "typed", ["", "0000", "14/03/1950", "1950-13", "1950-3-14", "19500314", "1950-03-14T00:00:00", "50"]
)
async def test_another_spelling_of_a_birth_date_is_named(service: Service, typed: str) -> None:
    answer = await (await known(service, birth_date="1950-03-14")).begin(birth_date=typed)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["birth_date"]


@pytest.mark.parametrize(
    ("on_file", "typed"),
    [("Trần Thị Hoà", "trần thị hòa"), ("Ðặng Thuý", "Đặng Thúy"), ("Lê\u00a0Văn\u200b Uỳnh", "LÊ VĂN ÙYNH")],
)
async def test_r18_a_name_is_the_same_however_it_is_typed(service: Service, on_file: str, typed: str) -> None:
    citizen = Citizen.new(service)
    citizen.subscribe(citizen.number, full_name=on_file)
    await citizen.register(full_name=typed)
