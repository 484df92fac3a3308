"""What comes over the wire before it is a request (cases TI03, TI05, TI06, TI11)."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.attacks.problems import refused, rows
from tests.parts.processes import free_port
from tests.service import Service, served

BODY = {"method": "vneid", "device": {"platform": "a", "name": "b", "model": "c"}}


async def wire(service: Service, sent: bytes, *, slowly: float = 0) -> bytes:
    """Raw bytes in, the head of the answer out."""
    place = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(sent)
        await writer.drain()
        await asyncio.sleep(slowly)
        return await asyncio.wait_for(reader.read(65_536), 15)
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


async def test_ti03_a_body_over_the_limit_is_refused_before_it_is_read(service: Service) -> None:
    for path, size in (
        ("/v1/logins", 4097),
        ("/v1/token", 4097),
        ("/v1/role-requests", 65_537),
        ("/v1/x", 11_000_000),
    ):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
        answer = await wire(service, head + b'{"a":"')
        assert status_of(answer) == 413, (path, answer)
        assert b"payload_too_large" in answer


async def test_ti03_a_chunked_body_is_cut_at_the_limit(service: Service) -> None:
    before = await rows(service)
    for path, size in (("/v1/role-requests", 65_537), ("/v1/logins", 4097)):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        answer = await wire(
            service,
            head
            + b"1000\r\n"
            + b"x" * 4096
            + b"\r\n"
            + f"{size - 4096:x}\r\n".encode()
            + b"x" * (size - 4096)
            + b"\r\n",
        )
        assert status_of(answer) == 413, answer
    assert await rows(service) == before


async def test_ti03_a_small_chunked_body_is_read_as_any_other(service: Service) -> None:
    async def parts() -> Any:
        for byte in json.dumps(BODY).encode():
            yield bytes([byte])

    phone = service.phone()
    sent = phone.headers("POST", "/v1/logins") | {"Content-Type": "application/json"}
    assert (await service.http.post("/v1/logins", content=parts(), headers=sent)).status_code == 201


async def test_ti03_only_plain_json_is_read(service: Service) -> None:
    phone, before, plain = service.phone(), await rows(service), json.dumps(BODY).encode()
    kinds = (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
        "application/json2",
    )
    cases: list[tuple[dict[str, str], bytes]] = [({"Content-Type": kind}, plain) for kind in kinds]
    cases += [({"Content-Encoding": "gzip"}, gzip.compress(plain)), ({"Content-Encoding": "identity"}, plain)]
    for headers, content in cases:
        sent = phone.headers("POST", "/v1/logins") | {"Content-Type": "application/json"} | headers
        refused(
            await service.http.post("/v1/logins", content=content, headers=sent),
            415,
            "unsupported_media_type",
        )
    assert await rows(service) == before


async def test_ti03_monstrous_headers_are_refused(service: Service) -> None:
    for headers in (
        {"X-Long": "x" * 17_000},
        {"Cookie": "; ".join(f"c{n}=1" for n in range(5000))},
        {f"X-{n}": "y" * 100 for n in range(200)},
    ):
        answer = await service.http.get("/v1/me", headers=headers)
        assert answer.status_code == 431, answer.text
        refused(answer, 431, "headers_too_large")
    cut = await wire(service, b"GET /v1/me HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000 + b"\r\n\r\n")
    assert status_of(cut) in (400, 431)


AMBIGUOUS = {
    "CL.TE": b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
    "unknown coding": b"POST /v1/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
    "length -1": b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length 1e3": b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 1e3\r\n\r\n",
    "two blanks": b"GET  /v1/me HTTP/1.1\r\nHost: x\r\n\r\n",
    "HTTP/9.9": b"GET /v1/me HTTP/9.9\r\nHost: x\r\n\r\n",
    "no slash": b"GET v1/me HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "NUL in path": b"GET /v1/\x00me HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in header": b"GET /v1/me HTTP/1.1\r\nHost: x\r\nX:\x00y\r\n\r\n",
    "control in method": b"G\x01T /v1/me HTTP/1.1\r\nHost: x\r\n\r\n",
}


async def test_ti05_a_request_that_can_be_read_in_two_ways_is_read_in_none(service: Service) -> None:
    for name, lines in AMBIGUOUS.items():
        answer = await wire(service, lines)
        assert status_of(answer) in (0, 400, 401, 404, 505), (name, answer)
        assert answer.count(b"HTTP/1.1 200") == 0, f"{name}: something was smuggled"


async def test_ti05_odd_paths_are_no_other_way_in(service: Service) -> None:
    for path in ("/v1/me;a=b", "/v1/me%00", "/v1/%2e%2e/v1/me", "/v1/../v1/me", "/v1/logins/../me", "/V1/me", "/v1/me/", "/v1/me%2f", "/v1/ME", "/v1/token/", "/v1/logins/%2e%2e/sessions",
                 "/v1//me", "//v1/me", "/v1/me//", "/./v1/me", "/v1/./me", "/v1/%E0%80%AFme", "/v1/me%20", "/v1\\me", "/v1/logins/x/otp", "/v1", "/v1/", "/v1/nothing"):  # fmt: skip
        answer = await wire(service, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert status_of(answer) in (400, 401, 404, 405), (path, answer)
        assert b"application/problem+json" in answer or status_of(answer) == 400
    absolute = await wire(
        service, b"GET http://other.example/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert status_of(absolute) == 401


async def test_ti06_only_declared_methods_do_anything(service: Service) -> None:
    phone = await service.sign_in()
    before = await rows(service)
    for method, path in [("HEAD", "/v1/takeover-reports"), ("PATCH", "/v1/me"), ("POST", "/v1/me"), ("PUT", "/v1/role-requests"), ("PATCH", "/v1/sessions"), ("TRACE", "/v1/me"),
                         ("PROPFIND", "/v1/me"), ("GET", "/v1/takeover-reports")]:  # fmt: skip
        answer = await phone.call(method, path)
        assert answer.status_code == 405, (method, path, answer.status_code)
        if method != "HEAD":
            refused(answer, 405, "method_not_allowed")
    for method in ("GET", "HEAD", "TRACE", "DELETE", "PUT"):
        assert (
            await service.http.request(
                method, "/v1/logins", headers=service.phone().headers(method, "/v1/logins")
            )
        ).status_code == 405
    for path in ("/health/live", "/metrics", "/schema/openapi.json"):
        assert (await service.http.request("TRACE", path)).status_code == 405
    sent = phone.headers("GET", "/v1/sessions") | {
        "X-HTTP-Method-Override": "DELETE",
        "X-Method-Override": "DELETE",
    }
    assert (await service.http.get("/v1/sessions?_method=DELETE", headers=sent)).status_code == 200
    assert (await phone.call("GET", "/v1/me")).status_code == 200
    assert await rows(service) == before
    refused(await service.http.request("OPTIONS", "/v1/me"), 401, "unauthenticated")


async def test_head_answers_where_get_does_and_says_the_same_without_a_body(service: Service) -> None:
    phone = await service.sign_in()
    for path in ("/v1/me", "/v1/role-requests", "/v1/sessions", "/v1/notices", "/v1/units", "/v1/nothing", "/v1/role-requests/x"):  # fmt: skip
        got, head = await phone.call("GET", path), await phone.call("HEAD", path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"], path
        if got.status_code == 200:
            assert head.headers["content-length"] == got.headers["content-length"] != "0", (
                path
            )  # packed where it is long
    for path in ("/health/live", "/health/ready", "/metrics", "/schema/openapi.json", "/workspace/login", "/workspace", "/v1/captcha", "/", "/nothing"):  # fmt: skip
        got, head = await service.http.get(path), await service.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
    for sent in ("GET", "POST"):  # a proof for another method is none
        answer = await service.http.head("/v1/me", headers=phone.headers(sent, "/v1/me"))
        assert answer.status_code == 401, sent
    answer = await service.http.post("/health/live")
    assert answer.status_code == 405 and "HEAD" in answer.headers["allow"]


async def test_h8_no_other_origin_is_let_in(service: Service) -> None:
    for method in ("GET", "OPTIONS"):
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = await service.http.request(method, "/v1/me", headers=asked)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_odd_language_and_agent_headers_break_nothing(service: Service) -> None:
    for value in (
        b"",
        b"\xff\xfe",
        b"en;q=nan",
        b"en;q=1e999",
        b"x" * 5000,
        b"en;q=,;;,,q=",
        b"*",
        b"vi;q=-1, en;q=0",
    ):
        odd: Any = {b"Accept-Language": value, b"User-Agent": value}
        refused(await service.http.get("/v1/me", headers=odd), 401, "unauthenticated")
    english = await service.http.get("/v1/me", headers={"Accept-Language": "en-GB,en;q=0.8"})
    assert english.json()["title"] != (await service.http.get("/v1/me")).json()["title"]


async def test_every_answer_is_guarded_and_names_its_request(service: Service) -> None:
    phone = await service.sign_in()
    names = set()
    for answer in [
        await phone.call("GET", "/v1/me"),
        await service.http.get("/v1/me"),
        await service.http.get("/nothing"),
        await service.http.get("/health/live"),
    ]:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        names.add(answer.headers["x-request-id"])
    assert len(names) == 4
    assert (await phone.call("GET", "/v1/me")).headers["cache-control"] == "no-store"


async def test_a19_a_forwarded_address_is_not_believed_without_a_proxy(service: Service) -> None:
    phone, number = service.phone(), service.mobile_number()
    login = await service.to_phone_step(phone, service.person())
    answer = await phone.open(
        f"/v1/logins/{login}/phone",
        {"phone": number},
        **{"X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4"},
    )
    assert answer.status_code == 200
    edge: Any = service.app.asgi
    scope = {"client": ("10.0.0.1", 1), "headers": [(b"x-forwarded-for", b"6.6.6.6, 7.7.7.7")]}
    assert edge._address(scope) == "10.0.0.1"


async def test_ti11_docs_and_figures_are_closed_where_the_settings_say_so(service: Service) -> None:
    port = free_port()
    settings = msgspec.structs.replace(
        service.app.settings, open_docs=False, metrics_token="m" * 32, public_url=f"http://127.0.0.1:{port}"
    )
    async with served(settings, port) as closed:
        for path in (
            "/schema",
            "/schema/",
            "/schema/openapi.json",
            "/schema/openapi.yaml",
            "/schema/swagger",
            "/docs",
            "/openapi.json",
            "/metrics",
        ):
            refused(await closed.http.get(path), 404)
        for value in (
            "Bearer",
            "Bearer ",
            "Bearer x",
            "Bearer " + "m" * 31,
            "bearer " + "m" * 33,
            "Basic bTpt",
        ):
            refused(await closed.http.get("/metrics", headers={"Authorization": value.strip()}), 404)
        shown = await closed.http.get("/metrics", headers={"Authorization": "Bearer " + "m" * 32})
        assert shown.status_code == 200
        live = await closed.http.get("/health/live")
        assert live.json() == {"status": "ok"}
        assert "litestar" not in str(live.headers).lower()
    for path in ("/schema/openapi.json", "/metrics"):
        assert (await service.http.get(path)).status_code == 200
