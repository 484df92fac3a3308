"""Values that a database cannot hold, in every path, query and cursor of the document (A21)."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

from tests.attacks.problems import refused
from tests.service import Service
from tests.workspace.office import Office

ODD = ("%00", "a%00b", "9223372036854775808", "-1", "%ff", "%ED%A0%80", "0001-01-01T00:00:00%2B14:00", "%E2%80%AE", "1e400")  # fmt: skip
NOBODY = "00000000-0000-7000-8000-000000000000"


def cursor(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


CURSORS = [
    cursor(place)
    for place in (
        f"0001-01-01T00:00:00+14:00|{NOBODY}", f"9999-12-31T23:59:59-14:00|{NOBODY}", f"2026-11-28|{NOBODY}", "\0", "a\0b", "9223372036854775808",
        "-9223372036854775809", "|", f"|{NOBODY}", f"unread|{NOBODY}", "unread|x", "read|", NOBODY, "\ud7ff", "x" * 140,
    )
]  # fmt: skip


async def document(service: Service) -> dict[str, Any]:
    return dict((await service.http.get("/schema/openapi.json")).json())


async def test_a21_every_path_of_the_document_takes_odd_values_calmly(service: Service) -> None:
    phone, tried = await service.sign_in(), 0
    for path, operations in (await document(service))["paths"].items():
        names = re.findall(r"{[^}]+}", path)
        for method in (name.upper() for name in operations if names):
            for odd in ODD:
                place, tried = re.sub(r"{[^}]+}", odd, path), tried + 1
                for answer in (
                    await phone.call(method, place, None if method in ("GET", "DELETE") else {}),
                    await service.http.request(method, place, json={}),
                ):
                    if answer.is_success:
                        assert b"genuine" in answer.content and b"true" not in answer.content, (
                            place,
                            answer.text,
                        )
                    else:
                        refused(answer)
                    wanted = 200 if method == "GET" and path.startswith("/v1/support-codes/") else 404
                    assert "%00" not in place or answer.status_code == wanted, (method, place, answer.text)
    assert tried > 100


async def test_a21_every_query_of_the_document_takes_odd_values_calmly(service: Service) -> None:
    phone, tried = await service.sign_in(), 0
    for path, operations in (await document(service))["paths"].items():
        asked = [
            one["name"] for one in operations.get("get", {}).get("parameters", []) if one["in"] == "query"
        ]
        place = re.sub(r"{[^}]+}", NOBODY, path)
        for name in asked:
            for odd in (*ODD, *CURSORS, *map(quote, CURSORS[:2])):
                answer, tried = await phone.call("GET", f"{place}?{name}={odd}"), tried + 1
                if not answer.is_success:
                    refused(answer)
                    assert answer.status_code in (400, 404, 422), (place, name, odd, answer.text)
                assert "%00" not in odd or answer.status_code == 400
    assert tried > 100


async def test_a21_the_pages_of_the_workspace_take_odd_values_calmly(service: Service) -> None:
    office = Office(service)
    await office.open()
    desk = await office.desk(office.ha)
    for path in ("/workspace", "/workspace/people", "/workspace/audit", "/workspace/systems", "/workspace/support"):  # fmt: skip
        for name in ("cursor", "q", "kind", "state", "unit", "said", "status"):
            for odd in (*ODD, *CURSORS):
                answer = await desk.http.get(f"{path}?{name}={odd}")
                assert answer.status_code < 500, (path, name, odd)
    for odd in ODD:
        for path in (f"/workspace/requests/{odd}", f"/workspace/systems/{odd}", f"/workspace/people/{odd}", f"/workspace/support/{odd}"):  # fmt: skip
            assert (await desk.http.get(path)).status_code in (400, 403, 404, 405), path
    request_id = await office.asks("Nguyễn Số Lớn")
    for version in ("9223372036854775808", "2147483648", "-1"):
        answer = await desk.send(f"/workspace/requests/{request_id}/approve", {"version": version})
        assert answer.status_code in (400, 404, 409), (version, answer.text)
    await desk.http.aclose()
