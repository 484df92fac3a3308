"""Every field of every call, with everything that could be wrong about it; the calls are read from the served document.

A new operation is covered by being documented (issue, "Bad input"; TI02, TO16).
"""

from __future__ import annotations

import json
from typing import Any

import httpx2

from tests.attacks.document import Operation, identifier_of, listed, operations, wrong_types
from tests.attacks.problems import refused, rows
from tests.service import Service


async def test_every_documented_call_is_found_and_takes_its_example(service: Service) -> None:
    phone, found = await service.sign_in(), await operations(service)
    assert len(found) >= 20
    assert sum(len(list(one.fields())) for one in found if one.schema) >= 20
    for one in found:
        if one.schema and one.path != "/v1/devices/current/push-token":
            answer = await one.send(phone, json.dumps(one.example()).encode())
            assert answer.status_code != 400, (one.path, one.example(), answer.text)


async def test_a_field_of_a_wrong_type_is_refused_and_named(service: Service) -> None:
    await _each_field(
        service, lambda schema, _required: [json.dumps(value).encode() for value in wrong_types(schema)]
    )


async def test_a_required_field_that_is_missing_or_null_is_refused_and_named(service: Service) -> None:
    await _each_field(service, lambda _schema, required: [b"null", None] if required else [])


async def test_a_field_that_is_too_long_is_refused(service: Service) -> None:
    def long(schema: dict[str, Any], _required: bool) -> list[bytes | None]:
        most = (
            schema.get("maxLength")
            if "string" in listed(schema.get("type")) and not schema.get("enum")
            else None
        )
        return (
            [json.dumps("x" * (most + 1)).encode(), json.dumps("9" * 3000).encode()]
            if most is not None and most < 3000
            else []
        )

    await _each_field(service, long)


HURTFUL: dict[str, bytes] = {
    "NUL": b'"a\\u0000b"', "lone surrogate": b'"\\ud800"', "not UTF-8": b'"\xff\xfe"', "33 deep": b"[" * 33 + b"]" * 33, "1,000 deep": b'{"a":' * 500 + b"1" + b"}" * 500,
    "1e999": b"1e999", "NaN": b"NaN", "400 digits": b"9" * 400, "2^63": b"9223372036854775808", "-0": b"-0", "duplicate": b'{"a":1,"a":2}', "raw control": b'"a\x01b"',
}  # fmt: skip


async def test_ti02_a_hurtful_value_in_any_field_is_refused(service: Service) -> None:
    def hurtful(schema: dict[str, Any], _required: bool) -> list[bytes]:
        read_as_false = [b"-0"] if "boolean" in listed(schema.get("type")) else []
        return [value for value in HURTFUL.values() if value not in read_as_false]

    await _each_field(service, hurtful, named=False)


async def _each_field(service: Service, values: Any, *, named: bool = True) -> None:
    """Send every field with each value; a documented 4xx, the field named, and nothing made."""
    phone, before, tried, wrong = await service.sign_in(), None, 0, []
    before = await rows(service)
    for one in await operations(service):
        for at, schema, required in one.fields():
            for value in values(schema, required):
                tried += 1
                answer = await one.send(phone, _body(one, at, value))
                trouble = _trouble(one, answer, at if named else None)
                wrong += (
                    [f"{one.method} {one.path} {'.'.join(at)} {value!r:.60}: {trouble}"] if trouble else []
                )
    assert not wrong, "\n".join(wrong)
    assert tried >= 5
    assert await rows(service) == before


def _body(one: Operation, at: tuple[str, ...], value: bytes | None) -> bytes:
    if value is None:
        body = one.changed(at, None)
        inner = body
        for name in at[:-1]:
            inner = inner[name]
        del inner[at[-1]]
        return json.dumps(body).encode()
    return (
        json.dumps(one.changed(at, "⟨here⟩"), ensure_ascii=False).encode().replace('"⟨here⟩"'.encode(), value)
    )


def _trouble(one: Operation, answer: httpx2.Response, at: tuple[str, ...] | None) -> str | None:
    if answer.status_code not in (400, 422, 413):
        return f"{answer.status_code} {answer.text[:200]}"
    problem = refused(answer)
    if str(answer.status_code) not in one.told["responses"]:
        return f"{answer.status_code} is not documented"
    if (
        at is not None
        and problem["code"] == "validation_failed"
        and not any(at[-1] in error["field"] for error in problem["errors"])
    ):
        return f"names {problem['errors']}"
    return None


BODIES: dict[str, bytes] = {
    "nothing": b"", "blank": b" ", "null": b"null", "a list": b"[]", "a text": b'"x"', "a number": b"1", "true": b"true", "half": b'{"a"', "two": b"{}{}", "XML": b"<a/>", "a form": b"a=1&b=2",
    "an unknown field": b'{"never heard of it":1}', "a prototype": b'{"__proto__":{"a":1}}', "UTF-16": '{"a":1}'.encode("utf-16"), "a byte order mark": b"\xef\xbb\xbf{}",
    "deep unknown": b'{"x":' + b"[" * 100 + b"]" * 100 + b"}", "60,000 deep": b"[" * 60_000, "300 names": json.dumps({str(n): n for n in range(300)}).encode(),
    "70 KB": b'{"a":"' + b"x" * 70_000 + b'"}',
}  # fmt: skip


async def test_ti01_ti02_a_body_that_is_wrong_as_a_whole_is_refused(service: Service) -> None:
    phone = await service.sign_in()
    before = await rows(service)
    for one in await operations(service):
        for name, body in BODIES.items() if one.schema else ():
            if name in ("nothing", "null") and not one.told["requestBody"]["required"]:
                continue
            answer = await one.send(phone, body)
            assert not (trouble := _trouble(one, answer, None)), (one.path, name, trouble)
    assert await rows(service) == before


async def test_an_unknown_field_beside_good_ones_is_refused_and_named(service: Service) -> None:
    phone = await service.sign_in()
    before = await rows(service)
    for one in await operations(service):
        places = [(), *{at[:-1] for at, _, _ in one.fields() if len(at) > 1}] if one.schema else []
        for place in places:
            body = one.changed((*place, "is_admin"), True)
            problem = refused(await one.send(phone, json.dumps(body).encode()), 400, "validation_failed")
            named = ".".join((*place, "is_admin"))
            assert problem["errors"][0] == problem["errors"][0] | {"field": named, "code": "unknown"}, (
                one.path,
                problem,
            )
    assert await rows(service) == before


ODD = [
    "%00",
    "a%00b",
    "%ff%fe",
    "%ed%a0%80",
    "x" * 5000,
    "%27%3B--",
    "%25_%5C",
    "%F0%9F%98%80",
    "..%2f..%2f",
    "%0d%0aSet-Cookie:a=b",
    "*)(uid=*",
    "-1",
    "true",
    "%7B%7D",
]


async def test_odd_parameters_of_query_and_path_break_nothing(service: Service) -> None:
    phone, wrong = await service.sign_in(), []
    before = await rows(service)
    for one in await operations(service):
        for where, name in one.parameters:
            for value in ODD if where in ("query", "path") else ():
                path = (
                    one.address().replace(identifier_of(one.address()), value)
                    if where == "path"
                    else one.address()
                )
                query = f"?{name}={value}" if where == "query" else ""
                content = json.dumps(one.example()).encode() if one.schema else b""
                answer = await one.send(phone, content, path=path, query=query)
                if answer.status_code >= 500 or (answer.status_code >= 400 and not refused(answer)):
                    wrong.append(f"{one.method} {path[:60]} {name}={value[:20]}: {answer.status_code}")
                if where == "query" and name == "cursor" and answer.status_code not in (400, 422):
                    wrong.append(f"{one.path} took the cursor {value[:20]}: {answer.status_code}")
            if where == "query":
                await one.send(phone, b"", query=f"?{name}=a&{name}=b&{name}[]=c")
    assert not wrong, "\n".join(wrong)
    assert await rows(service) == before


async def test_a_cursor_that_no_list_gave_is_refused(service: Service) -> None:
    phone, lists = await service.sign_in(), 0
    for one in await operations(service):
        if ("query", "cursor") in one.parameters:
            lists += 1
            for cursor in (
                "x",
                "====",
                "//8",
                "0",
                "-",
                "đ",
                "a" * 301,
                "gICA",
                "AAAA",
                "YQBi",
                "JzstLQ",
                "JV8lXw",
            ):
                answer = await one.send(phone, b"", query=f"?cursor={cursor}")
                if cursor in (
                    "AAAA",
                    "YQBi",
                    "JzstLQ",
                    "JV8lXw",
                ):  # they read as some place: NUL, a NUL b, ';-- and %_%_
                    assert answer.status_code == 200 or refused(answer), (one.path, cursor)
                else:
                    assert refused(answer)["status"] in (400, 422), (one.path, cursor)
    assert lists >= 2
