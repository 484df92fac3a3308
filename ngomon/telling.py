"""What each part of the OpenAPI document means, said where nothing else has to be read: `mobile_api/told` (case D03).

A shape says what the docstring of its type says; a part of it what stands under its name in `shapes.toml`.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from litestar.openapi.spec import OpenAPI, OpenAPIType, Schema

from ngomon.closed import sets

FOLDER = Path(__file__).resolve().parent.parent / "mobile_api/told"
CITED = re.compile(r" ?\((?:rules?|cases?|sources?) [^)]*\)")  # what a docstring names for us


@cache
def words(name: str) -> dict[str, Any]:
    """One file of words."""
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def part_words(shape: str, part: str) -> str | None:
    """What a part of a shape means: by the shape, by the one that it is like, by the part's name."""
    told = words("shapes")
    own: dict[str, str] = told["shapes"].get(shape, {})
    if part in own and part not in ("like", "about"):
        return own[part]
    if (like := own.get("like")) is not None:
        return part_words(like, part)
    every: dict[str, str] = told["every"]
    return every.get(part)


def tell(document: OpenAPI, names: Mapping[str, str]) -> None:
    """Describe every shape and every part, and give the closed sets as enums; `names`: the types' own, by the shape."""
    shapes: dict[str, Schema] = document.components.schemas
    for name, shape in shapes.items():
        shape.description = shape.description or _about(name, names.get(name, name), shape)
        told = {part: _told(name, part, schema) for part, schema in (shape.properties or {}).items()}
        shape.properties = told or None


def _told(shape: str, part: str, schema: Any) -> Any:
    meaning, steps = part_words(shape, part), schema.description
    said = ": ".join(filter(None, (steps, meaning))) or None
    closed = sets().get(f"{shape}.{part}")
    return replace(schema if closed is None else with_enum(schema, closed), description=said)


def with_enum(schema: Schema, values: Sequence[str]) -> Schema:
    """The schema, or what it holds, as one of these values."""
    if schema.one_of:
        return replace(schema, one_of=[with_enum(one, values) for one in schema.one_of])  # type: ignore[arg-type]
    if schema.items is not None:
        return replace(schema, items=with_enum(schema.items, values))  # type: ignore[arg-type]
    return replace(schema, enum=list(values)) if schema.type == OpenAPIType.STRING else schema


def _about(name: str, type_name: str, shape: Schema) -> str | None:
    said: str | None = words("shapes")["shapes"].get(name, {}).get("about")
    return said or _docstring(type_name, set(shape.properties or ()))


def _docstring(type_name: str, parts: set[str]) -> str | None:
    for kind in _types():
        if kind.__name__ == type_name and set(kind.__struct_encode_fields__) == parts and kind.__doc__:
            text = CITED.sub("", inspect.cleandoc(kind.__doc__))
            return "\n\n".join(" ".join(lines.split()) for lines in text.split("\n\n"))
    return None


def _types() -> Iterator[type[msgspec.Struct]]:
    waiting = list(msgspec.Struct.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith(("backend.", "mobile_api.")):
            yield kind
