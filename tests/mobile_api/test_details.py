"""What a problem says beside its title: what to do, in the reader's language (rule 801, case D04)."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from backend import remedies
from backend.errors import FieldError, FieldsInvalid, Refusal, TooMany, catalogue
from mobile_api.problems import body_of
from tests.service import Service
from tests.workspace import msgids


def told(refusal: Refusal, lang: str = "vi") -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(
        body_of(refusal, lang=lang, instance="1", home="https://gate.example", places={"hotline": "19001075"})
    )
    return found


def bare(kind: type[Refusal]) -> Refusal:
    """As it is raised where it has nothing of its own to say."""
    refusal = kind.__new__(kind)
    Refusal.__init__(refusal)
    return refusal


def test_no_detail_repeats_its_title() -> None:
    assert msgids.everything()  # knows every refusal of both surfaces
    for kind in catalogue().values():
        for lang in ("vi", "en"):
            body = told(bare(kind), lang)
            assert body["detail"] and body["detail"] != body["title"], kind.code
            assert "{" not in body["detail"], kind.code
        assert told(bare(kind))["detail"] != told(bare(kind), "en")["detail"], kind.code


def test_a_remedy_is_of_a_refusal_that_there_is() -> None:
    assert set(remedies.BY_CODE) <= set(catalogue())


def test_the_places_of_a_fields_message_are_filled_and_stand_nowhere_else() -> None:
    bad = [FieldError("until", "too_far", "Ngày kết thúc quá xa, muộn nhất là {last}", last="01/02/2027")]
    body = told(FieldsInvalid(*bad))
    assert body["errors"][0] == {
        "field": "until",
        "code": "too_far",
        "message": "Ngày kết thúc quá xa, muộn nhất là 01/02/2027",
    }


@pytest.mark.parametrize(
    ("seconds", "vi", "en"),
    [
        (1, "1 giây", "1 second."),
        (119, "119 giây", "119 seconds"),
        (121, "3 phút", "3 minutes"),
        (7201, "3 giờ", "3 hours"),
        (86_400, "24 giờ", "24 hours"),
    ],
)
def test_whoever_was_too_fast_reads_how_long_to_wait(seconds: int, vi: str, en: str) -> None:
    refusal = TooMany(retry_after=seconds)
    assert vi in told(refusal)["detail"] and en in told(refusal, "en")["detail"]


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_a_detail_comes_with_every_answer_over_http(service: Service) -> None:
    for path, status in (("/v1/me", 401), ("/v1/nowhere", 404), ("/v1/logins", 405)):
        phone = service.phone() if status == 401 else await service.sign_in()
        answer = await phone.call("GET", path, **{"Accept-Language": "en"})
        body = answer.json()
        assert answer.status_code == status and body["detail"] != body["title"], body


def test_no_remedy_names_a_time_that_a_province_may_have_set_otherwise() -> None:
    times = re.compile(r"(hai|mười|\d+) (giây|phút)")
    assert [words for words in remedies.BY_CODE.values() if times.search(words)] == []
