"""Nothing of the API's document is without a word: counted by kind, and each count is none (D03)."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from backend.errors import Refusal, catalogue
from ngomon.closed import sets
from ngomon.problem_shape import FIRST
from ngomon.telling import words
from tests.mobile_api.described import Document
from tests.promises.house import ROOT
from tests.promises.test_docs import page, table
from tests.workspace import msgids

TOLD: dict[str, Any] = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))
SHAPES: dict[str, dict[str, Any]] = TOLD["components"]["schemas"]
SHORTEST = 8  # letters: a description that only repeats a name is none


def parts() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, shape in SHAPES.items():
        for part, said in shape.get("properties", {}).items():
            yield name, part, said


def operations() -> Iterator[dict[str, Any]]:
    for item in TOLD["paths"].values():
        yield from item.values()


def answers() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for operation in operations():
        for status, told in operation["responses"].items():
            yield operation["operationId"], status, told


def undescribed() -> dict[str, list[str]]:
    """Everything without a description, by kind."""
    parameters = [(op["operationId"], one) for op in operations() for one in op.get("parameters", [])]
    return {
        "shapes": [name for name, shape in SHAPES.items() if is_bare(shape)],
        "parts": [f"{name}.{part}" for name, part, said in parts() if is_bare(said)],
        "parameters": [f"{name} {one['name']}" for name, one in parameters if is_bare(one)],
        "headers": [name for name, one in TOLD["components"]["headers"].items() if is_bare(one)],
        "answers": [f"{name} {status}" for name, status, told in answers() if is_bare(told)],
        "operations": [one["operationId"] for one in operations() if is_bare(one)],
        "examples": [f"{name} {status}" for name, status, told in answers() if not is_shown(told)],
    }


def is_shown(told: dict[str, Any]) -> bool:
    return all("example" in media or media.get("examples") for media in told.get("content", {}).values())


def is_bare(said: dict[str, Any]) -> bool:
    return len(re.sub(r"^With step [^:]*:? ?", "", said.get("description", ""))) < SHORTEST


def test_d03_everything_is_described() -> None:
    assert {kind: bare for kind, bare in undescribed().items() if bare} == {}
    assert len(SHAPES) > 100 and len(list(parts())) > 500, "they are looked at"


def test_d03_what_is_not_described_is_counted() -> None:
    said = SHAPES["DeviceIn"]["properties"]["name"]
    kept = said.pop("description")
    try:
        assert undescribed()["parts"] == ["DeviceIn.name"]
        said["description"] = "With step `otp`"
        assert undescribed()["parts"] == ["DeviceIn.name"], "when a part is there says not what it is"
    finally:
        said["description"] = kept


def test_d03_no_word_is_kept_for_what_is_not_there() -> None:
    there = {(name, part) for name, part, _ in parts()}
    own = {(name, part) for name, told in words("shapes")["shapes"].items() for part in told}
    calls = words("calls")
    named = {(op["operationId"], one["name"]) for op in operations() for one in op.get("parameters", [])}
    spelled = {name for _, name in named} | {f"{call}.{name}" for call, name in named}
    assert set(calls["parameters"]) <= spelled
    every = {operation["operationId"] for operation in operations()}
    assert {*calls["tagged"]["calls"], *calls["placed"]["calls"], *calls["codes"]} <= every
    assert set(calls["headers"]) == {name for _, _, told in answers() for name in told["headers"]}
    assert {one for one in own - there if one[1] not in ("like", "about")} == set()
    assert {name for name, _ in own} <= set(SHAPES)
    assert set(words("shapes")["every"]) <= {part for _, part in there}


def test_d03_every_closed_set_is_an_enum() -> None:
    for place, values in sets().items():
        name, _, part = place.partition(".")
        said = SHAPES[name]["properties"][part]
        texts = [said.get("items", said), *said.get("oneOf", [])]
        assert [one["enum"] for one in texts if "enum" in one] == [list(values)], place
    enums = [said for _, _, said in parts() if "enum" in json.dumps(said)]
    assert len(enums) > 50


@cache
def members() -> dict[str, set[str]]:
    """The members that our refusals bring, by code: the names of what they are made with."""
    found: dict[str, set[str]] = {}
    modules = [module for module in _modules() if module.__name__.startswith(("backend", "mobile_api"))]
    for module in modules:
        for node in ast.walk(ast.parse((ROOT / f"{module.__name__.replace('.', '/')}.py").read_text())):
            if isinstance(node, ast.Call) and (kind := _refusal(node.func, module)) is not None:
                brought = {word.arg for word in node.keywords if word.arg and word.arg != "retry_after"}
                found.setdefault(kind.code, set()).update(brought)
    return found


def _modules() -> list[ModuleType]:
    msgids.everything()
    return [
        one
        for one in list(sys.modules.values())
        if getattr(one, "__file__", None) and "__init__" not in (one.__file__ or "")
    ]


def _refusal(called: ast.expr, module: ModuleType) -> type[Refusal] | None:
    if isinstance(called, ast.Name):
        found = vars(module).get(called.id)
    elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        found = getattr(vars(module).get(called.value.id), called.attr, None)
    else:
        return None
    return found if isinstance(found, type) and issubclass(found, Refusal) else None


def test_d03_a_problem_has_every_member_that_a_refusal_of_a_call_brings() -> None:
    described = set(SHAPES["Problem"]["properties"]) - set(FIRST)
    declared = codes_of_calls()
    brought = {name for code, names in members().items() if code in declared for name in names}
    brought -= {"unit"}  # of `unit_not_found`, where a command names several
    assert brought <= described, "said in shapes.toml, and of which type in problem_shape.py"
    assert described - brought == {"decision", "replaced_by"}, "made by a function of the refusal itself"
    every = {name for names in members().values() for name in names}
    assert every & set(FIRST) == set(), "a refusal hides no member that every problem has"


def codes_of_calls() -> set[str]:
    """Every code that some call declares."""
    problems = [told["description"] for _, status, told in answers() if status[0] in "45d"]
    return {code for said in problems for code in re.findall(r"`(\w+)`", said)}


def test_d03_every_example_is_as_its_shape_says() -> None:
    document, shared, seen = Document(TOLD), TOLD["components"]["examples"], 0
    for name, status, told in answers():
        for media in told.get("content", {}).values():
            given = [media] if "example" in media else list(media["examples"].values())
            for one in given:
                told_once = shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
                value = told_once["example"] if "example" in told_once else told_once["value"]
                assert document.faults(media["schema"], value) == [], (name, status)
                assert (
                    status in ("default", str(value["status"]))
                    if "problem" in media["schema"]["$ref"]
                    else True
                )
                seen += 1
    assert seen > 500


def test_d03_a_call_names_the_statuses_that_its_codes_have_and_no_others() -> None:
    for name, status, told in answers():
        codes = set(re.findall(r"`(\w+)`", told["description"]))
        if status[0] in "45":
            known = {refusal.status for code in codes for refusal in [catalogue()[code]]}
            assert known <= {int(status)} or codes & {"validation_failed"}, (name, status)
            assert codes, (name, status)
    shapes = {frozenset(operation["responses"]) for operation in operations()}
    assert len(shapes) > 12, "each call says what it can answer"


def test_d03_a_code_that_a_call_speaks_of_is_one_that_it_declares() -> None:
    for operation in operations():
        spoken = set(re.findall(r"(?:4\d\d|503) `(\w+)`", operation["description"]))
        told = {
            code
            for one in operation["responses"].values()
            for code in re.findall(r"`(\w+)`", one["description"])
        }
        assert spoken <= told, operation["operationId"]


def test_d03_every_code_that_a_call_declares_is_explained() -> None:
    listed = {code for code, status in table(page("docs/problems.md")) if status.isdigit()}
    assert codes_of_calls() <= listed
    assert len(codes_of_calls()) > 80
