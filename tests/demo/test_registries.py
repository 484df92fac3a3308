"""The stand-in registries say who a number belongs to, take invented people only, and can be out of order."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from litestar import Litestar

from backend.outside.http import Guarded
from backend.outside.registries import Registries, RegistryUnavailable, Subscriber
from demo import registries as module
from demo.people import residents
from demo.persona import PERSONAS
from demo.registries import Mood, NotARow, StandInRegistries, registries_router
from tests.service import Service

BINH = residents()[1]
NEW = {
    "phone": "0550 777 001",
    "national_id": "000090777001",
    "full_name": "Trần Thị Mới",
    "birth_date": "1990-07-01",
    "active": True,
}


@pytest.fixture
def registries() -> StandInRegistries:
    return StandInRegistries(residents())


@pytest.fixture
async def http(registries: StandInRegistries) -> AsyncIterator[httpx2.AsyncClient]:
    app = Litestar([registries_router(registries)], openapi_config=None, logging_config=None)
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx2 wants wider message types
    async with httpx2.AsyncClient(transport=transport, base_url="http://registries.test") as client:
        yield client


def test_everybody_at_hand_has_one_number_of_each_kind_and_nobody_exists() -> None:
    rows = residents()
    assert {one.national_id for one in PERSONAS} <= {row.national_id for row in rows}
    for value in ("phone", "social_insurance_number", "national_id"):
        assert len({getattr(row, value) for row in rows}) == len(rows), value
    for row in rows:
        assert re.fullmatch(r"\+84550\d{6}", row.phone)
        assert re.fullmatch(r"0000\d{6}", row.social_insurance_number)
        assert row.national_id.startswith("000")


def test_the_registries_know_the_true_birth_date_where_the_staff_directory_errs() -> None:
    born = {one.national_id: one.birth_date for one in PERSONAS}
    assert all(row.birth_date == born[row.national_id] for row in residents() if row.national_id in born)


async def test_each_registry_answers_as_agreed(http: httpx2.AsyncClient) -> None:
    found = await http.get(f"/demo/registries/subscribers/{BINH.phone}")
    assert found.json() == {
        "phone": BINH.phone,
        "national_id": BINH.national_id,
        "full_name": "Trần Văn Bình",
        "birth_date": "1992-07-02",
        "active": True,
    }
    insured = await http.get(f"/demo/registries/people/{BINH.social_insurance_number}")
    assert insured.json()["national_id"] == BINH.national_id
    for path in ("subscribers/+84550999999", "people/0000999999"):
        assert (await http.get(f"/demo/registries/{path}")).status_code == 404


async def test_a_visitor_adds_a_subscriber_and_gives_the_number_to_somebody_else(
    http: httpx2.AsyncClient,
) -> None:
    assert (await http.post("/demo/registries/subscribers", json=NEW)).status_code == 201
    assert (await http.get("/demo/registries/subscribers/+84550777001")).json()["full_name"] == "Trần Thị Mới"
    await http.post("/demo/registries/subscribers", json=NEW | {"full_name": "Lê Văn Khác"})
    assert (await http.get("/demo/registries/subscribers/+84550777001")).json()["full_name"] == "Lê Văn Khác"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "0912 345 678"),
        ("national_id", "100090000001"),
        ("full_name", "  "),
        ("birth_date", "1990-02-30"),
    ],
)
async def test_what_could_be_real_or_is_unreadable_is_not_taken(
    http: httpx2.AsyncClient, registries: StandInRegistries, field: str, value: str
) -> None:
    before = len(registries.subscribers)
    refused = await http.post("/demo/registries/subscribers", json=NEW | {field: value})
    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert len(registries.subscribers) == before


async def test_a_visitor_changes_a_sim_and_the_registry_says_when(http: httpx2.AsyncClient) -> None:
    when = "2026-05-02T03:04:05Z"
    for given, said in ((when, when), (None, None)):
        await http.post("/demo/registries/subscribers", json=NEW | {"sim_changed_at": given})
        found = (await http.get("/demo/registries/subscribers/+84550777001")).json()
        assert found.get("sim_changed_at") == said
    for bad in ("hôm qua", "2026-05-02T03:04:05", 5):
        answer = await http.post("/demo/registries/subscribers", json=NEW | {"sim_changed_at": bad})
        assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"phone":1}'])
async def test_a_malformed_row_is_refused(http: httpx2.AsyncClient, body: bytes) -> None:
    for path in ("subscribers", "people", "switch"):
        assert (await http.post(f"/demo/registries/{path}", content=body)).status_code == 400


async def test_another_sites_page_may_not_press_the_switches(http: httpx2.AsyncClient) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for path in ("subscribers", "people", "switch"):
        assert (await http.post(f"/demo/registries/{path}", json=NEW, headers=foreign)).status_code == 403


def test_added_people_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "demo.system-registries.json"
    StandInRegistries(residents(), file).add_subscriber(Subscriber(**NEW))  # type: ignore[arg-type]
    assert StandInRegistries(residents(), file).subscribers["+84550777001"].full_name == "Trần Thị Mới"


def test_a_row_is_written_in_one_spelling() -> None:
    rows = StandInRegistries([])
    spelled: dict[str, Any] = NEW | {"full_name": "Trần  Thị Mới ", "national_id": "000 090 777 001"}
    kept = rows.add_subscriber(Subscriber(**spelled))
    assert (kept.full_name, kept.national_id) == ("Trần Thị Mới", "000090777001")
    with pytest.raises(NotARow):
        rows.add_subscriber(Subscriber(**(spelled | {"phone": "+1 550 777 001"})))


@pytest.mark.parametrize("mood", [Mood.DOWN, Mood.SLOW, Mood.WRONG_SHAPE])
async def test_a_registry_out_of_order_is_unavailable_to_the_product(
    service: Service, mood: Mood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 1.0)
    base = f"{service.url}/demo/registries"
    guarded = Guarded(["127.0.0.1"])
    registries = Registries(guarded, subscribers=base, social_insurance=base, timeout=0.5)
    assert (await registries.subscriber(BINH.phone)) is not None
    service.stand.registries.moods["subscribers"] = mood
    try:
        with pytest.raises(RegistryUnavailable):
            await registries.subscriber(BINH.phone)
        assert (await registries.insured(BINH.social_insurance_number)) is not None
    finally:
        service.stand.registries.moods["subscribers"] = Mood.WELL
        await guarded.close()


async def test_now_and_then_means_every_other_question(http: httpx2.AsyncClient) -> None:
    await http.post("/demo/registries/switch", json={"registry": "people", "mood": "maybe"})
    path = f"/demo/registries/people/{BINH.social_insurance_number}"
    assert sorted([(await http.get(path)).status_code for _ in range(4)]) == [200, 200, 503, 503]


async def test_the_page_is_strict_and_in_both_languages(service: Service) -> None:
    for language in ("vi", "en"):
        shown = await service.http.get(f"/demo/registries?lang={language}")
        assert shown.status_code == 200
        assert f'<html lang="{language}">' in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]
    service.http.cookies.clear()
