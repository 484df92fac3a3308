"""The calls of the served OpenAPI document, with examples that pass it: what the generic attacks are made from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import httpx2

from backend.db import new_id
from tests.phone import Phone
from tests.service import Service

SIGNING_IN = ("/v1/logins", "/v1/token", "/v1/registrations", "/v1/recoveries")
NAMES = {"purpose": "sign_in"}  # what stands in a path where no identifier does


class Operation:
    """One call of the document, with an example of its body that passes the schema."""

    def __init__(self, document: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> None:
        self._document = document
        self.path, self.method, self.told = path, method.upper(), told
        media = told.get("requestBody", {}).get("content", {}).get("application/json")
        self.schema = self.resolved(media["schema"]) if media else None
        self.parameters = [(one["in"], one["name"]) for one in told.get("parameters", [])]

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema behind references, and the first of several that is not null."""
        if "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        several = schema.get("oneOf") or schema.get("anyOf")
        if several:
            return self.resolved(next(one for one in several if one.get("type") != "null"))
        return schema

    def example(self, schema: dict[str, Any] | None = None) -> Any:
        """A value that the schema takes."""
        schema = self.resolved(schema or self.schema or {})
        if "const" in schema or schema.get("enum"):
            return schema.get("const", next(iter(schema.get("enum") or [None])))
        kind = next((one for one in listed(schema.get("type")) if one != "null"), "object")
        if kind == "object":
            fields, needed = schema.get("properties", {}), schema.get("required", [])
            if isinstance(schema.get("additionalProperties"), dict):
                return {"x": self.example(schema["additionalProperties"])}
            return {name: self.example(fields[name]) for name in fields if name in needed}
        by_format = {"uuid": str(new_id()), "date": "2026-12-01"}
        if kind == "string":
            wants = "x" * max(1, schema.get("minLength", 1))
            if pattern := schema.get("pattern"):
                wants = next(one for one in ("123456", "07") if re.search(pattern, one))
            return by_format.get(schema.get("format", ""), wants)
        return {"integer": 1, "number": 1, "boolean": True, "array": []}[kind]

    def fields(
        self, schema: dict[str, Any] | None = None, at: tuple[str, ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], dict[str, Any], bool]]:
        """Every field: its place, its schema, and whether it is required."""
        schema = self.resolved(schema or self.schema or {})
        for name, inner in schema.get("properties", {}).items():
            found = self.resolved(inner)
            yield (*at, name), found, name in schema.get("required", [])
            yield from self.fields(found, (*at, name)) if found.get("properties") else ()

    def changed(self, at: tuple[str, ...], value: Any) -> Any:
        """The example with one field set."""
        body = self.example()
        inner, schema = body, self.resolved(self.schema or {})
        for name in at[:-1]:
            schema = self.resolved(schema["properties"][name])
            inner = inner.setdefault(name, self.example(schema))
        inner[at[-1]] = value
        return body

    async def send(
        self, phone: Phone, content: bytes, *, path: str | None = None, query: str = "", **headers: str
    ) -> httpx2.Response:
        """With the right proof and token, and any body."""
        place = path or self.address()
        plain = unquote(
            place
        )  # as the server reads it, so that the door lets odd paths through to their handler
        proof = (
            {"DPoP": phone.proof(self.method, plain)}
            if self.path.startswith(SIGNING_IN)
            else phone.headers(self.method, plain)
        )
        sent = proof | ({"Content-Type": "application/json"} if self.schema or content else {}) | headers
        return await phone.http.request(self.method, place + query, content=content, headers=sent)

    def address(self) -> str:
        """The path with fresh identifiers."""
        place = self.path
        for where, name in self.parameters:
            value = NAMES.get(name) or str(new_id())
            place = place.replace("{" + name + "}", value) if where == "path" else place
        return place


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


async def operations(service: Service) -> list[Operation]:
    """Every call under /v1 that the document names."""
    document = (await service.http.get("/schema/openapi.json")).json()
    verbs = ("get", "post", "put", "patch", "delete")
    return [
        Operation(document, path, verb, item[verb])
        for path, item in document["paths"].items()
        for verb in verbs
        if verb in item and path.startswith("/v1")
    ]


def wrong_types(schema: dict[str, Any]) -> list[Any]:
    """A value of each type that this field is not."""
    kinds = listed(schema.get("type")) if not schema.get("enum") else ["string"]
    values: dict[str, Any] = {
        "string": "\u0001?",
        "integer": 7,
        "number": 1.5,
        "boolean": True,
        "array": [["x"]],
        "object": {"$ne": "x"},
    }
    wrong = [
        value
        for name, value in values.items()
        if name not in kinds and not (name == "integer" and "number" in kinds)
    ]
    return wrong + (
        [values["string"]] if schema.get("enum") or schema.get("format") in ("uuid", "date") else []
    )


def identifier_of(path: str) -> str:
    for part in path.split("/"):
        try:
            return str(UUID(part))
        except ValueError:
            continue
    return "no identifier"
