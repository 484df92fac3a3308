"""Whether a real answer is what the OpenAPI document says: the few words of JSON Schema that the document uses.

Stricter than JSON Schema in one thing: what the document does not name must not be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import httpx2

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
FORMATS: dict[str, Callable[[str], object]] = {
    "uuid": UUID,
    "date-time": datetime.fromisoformat,
    "date": date.fromisoformat,
}


OTHERWISE = {"405", "408", "431", "500"}  # which have no entry of their own
SAID = {"etag", "location", "retry-after", "www-authenticate", "dpop-nonce", "allow", "content-disposition"}


def _lower(names: dict[str, Any]) -> set[str]:
    return {name.lower() for name in names}


class Document:
    """The document of a running service."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._paths = {
            re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)): (path, item)
            for path, item in told["paths"].items()
        }

    @property
    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every call of the API by method and path."""
        return {
            (method.upper(), path): operation
            for path, item in self._told["paths"].items()
            if path.startswith("/v1/")
            for method, operation in item.items()
        }

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema behind a reference."""
        if "$ref" not in schema:
            return schema
        found: dict[str, Any] = self._told["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found

    def operation_of(self, answer: httpx2.Response) -> dict[str, Any] | None:
        """The call that was answered; nothing for what is no call of the API."""
        request, path = answer.request, answer.request.url.path.rstrip("/")
        items = [
            (name, item)
            for pattern, (name, item) in self._paths.items()
            if path.startswith("/v1/") and pattern.fullmatch(path)
        ]
        if not items:
            return None
        _, item = min(items, key=lambda one: one[0].count("{"))  # /current before /{id}
        found: dict[str, Any] | None = item.get(request.method.lower())
        return found

    def faults_of(self, answer: httpx2.Response) -> list[str]:
        """What an answer of the API has that the document says otherwise."""
        told = self.operation_of(answer)
        assert told is not None
        status, responses = str(answer.status_code), told["responses"]
        if status not in responses and status not in OTHERWISE:
            return [f"{status} is not described: {answer.text}"]
        described = responses.get(status, responses["default"])
        content = described.get("content") or {}
        if found := [name for name in SAID & set(answer.headers) if name not in _lower(described["headers"])]:
            return [f"{found} of {status} are not described"]
        if (
            "problem" in answer.headers.get("content-type", "")
            and answer.json()["code"] not in described["description"]
        ):
            return [f"{answer.json()['code']} is no code of {status}"]
        if not answer.content:
            return ["no body"] if content else []
        kind = answer.headers["content-type"].partition(";")[0]
        if kind not in content:
            return [f"{kind} is not described"]
        return self.faults(content[kind]["schema"], answer.json())

    def faults(self, schema: dict[str, Any], value: Any, at: str = "$") -> list[str]:
        """Where a value is not what a schema says."""
        schema = self.resolved(schema)
        if several := schema.get("oneOf"):
            tried = [self.faults(one, value, at) for one in several]
            fitting = tried.count([])
            return [] if fitting == 1 else [f"{at} fits {fitting} of {len(tried)}: {tried}"]
        kinds = schema.get("type", [])
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if isinstance(value, TYPES[kind]) and not (kind == "integer" and isinstance(value, bool)):
                break
        else:
            return [f"{at} is {value!r}, not {kinds}"] if kinds else []
        if isinstance(value, dict):
            return self._of_object(schema, value, at)
        if isinstance(value, list):
            return [fault for one in value for fault in self.faults(schema.get("items", {}), one, f"{at}[]")]
        return _of_scalar(schema, value, at)

    def _of_object(self, schema: dict[str, Any], value: dict[str, Any], at: str) -> list[str]:
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        found = [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
        found += _out_of_step(schema, value, at)
        for name, inner in value.items():
            if name in known:
                found += self.faults(known[name], inner, f"{at}.{name}")
            elif isinstance(others, dict):
                found += self.faults(others, inner, f"{at}.{name}")
            else:
                found.append(f"{at}.{name} is not described")
        return found


def steps_of_parts(schema: dict[str, Any]) -> dict[str, tuple[set[str], set[str]]]:
    """Of each part of a flow that not every answer has: the steps that it comes with, and those that it comes with at times."""
    found = {}
    for name, part in schema.get("properties", {}).items():
        if (said := part.get("description", "").partition(": ")[0]).startswith("With step "):
            at_times = set(re.findall(r"`(\w+)` \(not always\)", said))
            found[name] = (set(re.findall(r"`(\w+)`", said)) - at_times, at_times)
    return found


def _out_of_step(schema: dict[str, Any], value: dict[str, Any], at: str) -> list[str]:
    """Every part that comes with another step than this one, and every one that is missing at its own."""
    step, found = value.get("step"), []
    for name, (always, at_times) in steps_of_parts(schema).items():
        if name in value and step not in always | at_times:
            found.append(f"{at}.{name} is there at {step}")
        if name not in value and step in always:
            found.append(f"{at}.{name} is missing at {step}")
    return found


def _of_scalar(schema: dict[str, Any], value: Any, at: str) -> list[str]:
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return [f"{at} is {value!r}"]
    if isinstance(value, str) and (reader := FORMATS.get(schema.get("format", ""))) is not None:
        try:
            reader(value)
        except ValueError:
            return [f"{at} is no {schema['format']}: {value!r}"]
    return []
