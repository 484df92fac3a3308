"""An example of every answer of the API, put together from the shapes: whatever can be there is there (case D03)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from litestar.openapi.spec import (
    Example,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Reference,
    Schema,
)

from backend.errors import catalogue
from backend.remedies import of_code
from backend.words import VIETNAMESE, say
from ngomon.problem_shape import FIRST
from ngomon.telling import part_words, words

EXAMPLES = "#/components/examples/"
OWNED = re.compile(r"((?:`\w+`(?:, )?)+):")  # a member of a problem says first of which codes it is
EMPTY: dict[str, Any] = {"null": None, "boolean": False, "integer": 1, "object": {}, "array": []}
NOTHING = "\0null"  # the framework leaves out what is null; `restored` puts it back
TWICE = "validation_failed"  # the one code with two statuses


class NoSample(LookupError):
    """A part whose type does not say how it may look: samples.toml has to."""


class Samples:
    """Examples of the shapes of one document."""

    def __init__(self, shapes: Mapping[str, Schema]) -> None:
        self._shapes = shapes
        self._given: dict[str, Any] = words("samples")["parts"]
        self._nothing: list[str] = words("samples")["nothing"]["parts"]

    def of(self, name: str, step: str | None = None, only: frozenset[str] | None = None) -> dict[str, Any]:
        """One object of this shape; of a flow what is there at a step, and of any shape `only` some parts."""
        shape = self._shapes[name]
        return {
            part: step if part == "step" and step else self._value(name, part, schema)
            for part, schema in (shape.properties or {}).items()
            if (step is None or _is_there(schema, step)) and (only is None or part in only)
        }

    def _value(self, shape: str, part: str, schema: Schema | Reference) -> Any:
        if part in self._nothing and isinstance(schema, Schema) and any(map(_is_null, schema.one_of or ())):
            return NOTHING
        for key in (f"{shape}.{part}", part):
            if isinstance(schema, Schema) and key in self._given and _fits(schema, self._given[key]):
                return self._given[key]
        if isinstance(schema, Reference):
            return self.of(schema.value)
        if schema.one_of:
            return self._value(shape, part, next(one for one in schema.one_of if not _is_null(one)))
        if schema.enum or schema.const is not None:
            return schema.const if schema.const is not None else schema.enum[0]  # type: ignore[index]
        if schema.items is not None:
            return [self._value(shape, part, schema.items)]
        return self._plain(f"{shape}.{part}", schema)

    def _plain(self, place: str, schema: Schema) -> Any:
        if schema.format is not None:
            return self._given[f"_{getattr(schema.format, 'value', schema.format)}"]
        kind = schema.type.value if isinstance(schema.type, OpenAPIType) else "string"
        if kind not in EMPTY:
            raise NoSample(place)
        return EMPTY[kind]


def _fits(schema: Schema | Reference, value: Any) -> bool:
    """Whether a value that is named for the part's name is one of this part's."""
    if isinstance(schema, Reference):
        return False
    if schema.one_of:
        return any(_fits(one, value) for one in schema.one_of)
    if schema.enum is not None or isinstance(schema.items, Reference):
        return value in (schema.enum or ())
    kinds = {
        OpenAPIType.STRING: str,
        OpenAPIType.INTEGER: int,
        OpenAPIType.ARRAY: list,
        OpenAPIType.OBJECT: dict,
    }
    named = schema.type if isinstance(schema.type, list) else [schema.type]
    fitting = any(isinstance(value, kinds[kind]) for kind in named if kind in kinds)
    return fitting and (schema.format is None or "-" in str(value))


def show(document: OpenAPI) -> None:
    """Give every answer of the API its example; a flow's one for each step that the call can lead to."""
    shapes: dict[str, Schema] = document.components.schemas
    samples = Samples(shapes)
    problems: dict[str, Example | Reference] = {}
    for media in _media(document):
        if not isinstance(media.schema, Reference):
            continue
        name = media.schema.value
        if name == "Problem":
            for key in media.examples or {}:
                problems[key] = problems.get(key) or Example(value=problem(samples, key))
            media.examples = {key: Reference(EXAMPLES + key) for key in media.examples or {}}
        elif media.examples:
            media.examples = {step: Example(value=samples.of(name, step)) for step in media.examples}
        else:
            media.example = samples.of(name)
    document.components.examples = dict(sorted(problems.items()))


def restored(node: Any) -> Any:
    """The finished document with null where an example says that there is nothing."""
    if isinstance(node, dict):
        return {name: restored(inner) for name, inner in node.items()}
    if isinstance(node, list):
        return [restored(inner) for inner in node]
    return None if node == NOTHING else node


def key_of(code: str, status: int) -> str:
    """What the example of a code is called."""
    return f"{code}_{status}" if code == TWICE else code


def problem(samples: Samples, key: str) -> dict[str, Any]:
    """A whole problem of one code, with the members that it brings."""
    code = TWICE if key.startswith(TWICE) else key
    kind = catalogue()[code]
    title = say(kind.title, VIETNAMESE, hotline=words("samples")["parts"]["hotline"])
    status = int(key.rpartition("_")[2]) if code == TWICE else kind.status
    first = {
        "type": f"https://cong.example/problems/{code}",
        "title": title,
        "status": status,
        "detail": of_code(code, status, VIETNAMESE),
        "code": code,
    }
    own = frozenset({*members_of(code), "instance"})
    return first | samples.of("Problem", only=own)


def members_of(code: str) -> Iterator[str]:
    """The members that a problem of this code brings, as the words of each say."""
    for part in words("shapes")["shapes"]["Problem"]:
        found = OWNED.match(part_words("Problem", part) or "") if part not in (*FIRST, "about") else None
        if found is not None and f"`{code}`" in found[1] and code != "body_malformed":
            yield part


def _is_there(schema: Schema | Reference, step: str) -> bool:
    said = (schema.description or "").partition(": ")[0]
    return not said.startswith("With step ") or f"`{step}`" in said


def _is_null(schema: Schema | Reference) -> bool:
    return isinstance(schema, Schema) and schema.type == OpenAPIType.NULL


def _media(document: OpenAPI) -> Iterator[OpenAPIMediaType]:
    for item in (document.paths or {}).values():
        for method in ("get", "put", "post", "delete", "patch"):
            operation = getattr(item, method)
            for told in (operation.responses or {}).values() if operation is not None else ():
                if isinstance(told, OpenAPIResponse):
                    yield from (told.content or {}).values()
