"""The OpenAPI document is good enough to build a client from: every answer has a shape, every door is said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from litestar.openapi.spec import OpenAPIType, Reference, Schema

from backend.flows import Step
from ngomon.shapes import NAMES, _flat
from scripts import docs as written
from tests.mobile_api.described import Document, steps_of_parts
from tests.promises.house import ROOT
from tests.promises.test_docs import section, table

TEXT = (ROOT / "docs/openapi.json").read_text(encoding="utf-8")  # made anew by one test alone
DOCUMENT = Document(json.loads(TEXT))
CALLS = sorted(DOCUMENT.operations)


def test_the_document_in_the_repository_is_what_the_code_says() -> None:
    assert written.openapi() == TEXT


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_answer_with_a_body_is_an_object_whose_members_are_named(method: str, path: str) -> None:
    good = {
        status: told
        for status, told in DOCUMENT.operations[method, path]["responses"].items()
        if status.startswith("2")
    }
    assert len(good) == 1, good
    ((status, told),) = good.items()
    if status == "204":
        assert "content" not in told
        return
    assert list(told["content"]) == ["application/json"]
    shape = DOCUMENT.resolved(told["content"]["application/json"]["schema"])
    assert shape["type"] == "object" and shape["properties"] and shape["required"], shape


# The steps of each flow, the parts that come with each, and those that come at times (rule 110).
CODE = {"resend_in", "expires_in", "attempts_left"}
IN = {"session", "account", "replaced_device"}
FLOWS: dict[str, tuple[str, dict[str, set[str]], dict[str, set[str]]]] = {
    "/v1/logins": (
        "LoginFlow",
        {
            "authorize": {"authorization_url", "expires_in"},
            "sign": {"challenge", "expires_in"},
            "phone": set(),
            "otp": {"sent_to", *CODE},
            "done": IN,
        },
        {"otp": {"delivery", "methods"}},
    ),
    "/v1/registrations": (
        "RegistrationFlow",
        {
            "sign": {"challenge", "expires_in"},
            "confirm": {"subject", "identifier", "email_required"},
            "otp": {"sent_to", *CODE},
            "password": set(),
            "done": IN,
        },
        {"otp": {"delivery"}},
    ),
    "/v1/recoveries": ("RecoveryFlow", {"otp": CODE, "password": set(), "done": set()}, {}),
    "/v1/phone-changes": (
        "PhoneChangeFlow",
        {"otp": {"sent_to", *CODE}, "done": {"phone"}},
        {"otp": {"delivery"}},
    ),
    "/v1/me/auth-methods": (
        "AuthMethodFlow",
        {
            "authorize": {"authorization_url", "expires_in"},
            "sign": {"challenge", "expires_in"},
            "otp": {"sent_to", *CODE},
            "done": {"method"},
        },
        {"otp": {"delivery"}},
    ),
    "/v1/me/joins": (
        "JoinFlow",
        {"otp": {"sent_to", *CODE}, "done": {"account"}},
        {"otp": {"delivery"}},
    ),
}


@pytest.mark.parametrize("top", FLOWS)
def test_d01_every_answer_of_a_flow_is_one_flat_shape(top: str) -> None:
    name, always, at_times = FLOWS[top]
    flat = DOCUMENT.resolved({"$ref": f"#/components/schemas/{name}"})
    assert flat["properties"]["step"]["enum"] == sorted(always)
    assert flat["required"] == ["id", "step"], "a part that not every step has is optional"
    for step, parts in always.items():
        assert parts_at(flat, step) == (parts, at_times.get(step, set())), step
    beyond = {path.removeprefix(top).split("/")[-1] for _, path in CALLS if path.startswith(f"{top}/")}
    for (method, path), told in DOCUMENT.operations.items():
        if method == "POST" and (path == top or path.startswith(f"{top}/")) and not path.endswith("/confirm"):
            (good,) = (one for status, one in told["responses"].items() if status.startswith("2"))
            shape = good["content"]["application/json"]["schema"]
            assert shape == {"$ref": f"#/components/schemas/{name}"}, path
    assert set(always) - {"done"} <= beyond, "the next call is named as the step is"


def parts_at(flat: dict[str, Any], step: str) -> tuple[set[str], set[str]]:
    """The parts that come with a step, and those that come at times."""
    with_it = {name for name, (always, _) in steps_of_parts(flat).items() if step in always}
    at_times = {name for name, (_, sometimes) in steps_of_parts(flat).items() if step in sometimes}
    return with_it, at_times


def every_schema(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from every_schema(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from every_schema(inner)


def test_d01_nothing_in_the_document_is_one_of_several_shapes() -> None:
    """A value, or null: nothing else is a choice, for a generator makes one class of several."""
    told = json.loads(TEXT)
    choices = [one[word] for one in every_schema(told) for word in ("oneOf", "anyOf", "allOf") if word in one]
    assert len(choices) > 20
    assert [one for one in choices if len(one) != 2 or {"type": "null"} not in one] == []
    assert not any("discriminator" in one for one in every_schema(told))


def test_d01_an_optional_body_is_a_shape_that_is_not_required_and_no_choice() -> None:
    bodies = [one["requestBody"] for one in DOCUMENT.operations.values() if "requestBody" in one]
    assert all(list(one["content"]["application/json"]["schema"]) == ["$ref"] for one in bodies)


# what a shape may be called when its module is not there to say of what
ALONE = re.compile(
    "Access|Attributes|Case|Challenge|Change|Choice|Code|Desk|Difference|Draft|Fact|Field|Message|Method|"
    "Option|Page|Part|Proof|Shown|Sign|Slip|Standing|Step|Sync|Takeover"
)
FORMS = re.compile(r"(?:In|Out|List|Row|View|Copy|State|Person)$")


def test_d02_every_shape_has_one_title_that_is_its_name_and_of_the_field() -> None:
    schemas = json.loads(TEXT)["components"]["schemas"]
    titles = [one["title"] for one in every_schema(schemas) if isinstance(one.get("title"), str)]
    assert len(titles) > 80 and len(set(titles)) == len(titles)
    assert [name for name, shape in schemas.items() if shape["title"] != name] == []
    assert [name for name in titles if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert [name for name in titles if ALONE.fullmatch(FORMS.sub("", name))] == []
    assert set(NAMES.values()) <= set(schemas), "a name is given to nothing"


def test_d01_parts_that_differ_between_steps_are_not_laid_together() -> None:
    def shape(step: str, part: OpenAPIType) -> Schema:
        told: dict[str, Reference | Schema] = {
            "id": Schema(),
            "step": Schema(const=step),
            "amount": Schema(type=part),
        }
        return Schema(type=OpenAPIType.OBJECT, title=step, properties=told, required=["id", "step"])

    with pytest.raises(ValueError, match="amount differs"):
        _flat([shape("one", OpenAPIType.STRING), shape("two", OpenAPIType.INTEGER)])


OPEN = {
    "nothing": {"/captcha", "/phone-change-slips/{code}", "/support-codes/{code}", "/notices"},
    "either": {"/recoveries"},
    "proof": {"/logins", "/registrations", "/phone-changes", "/token"},
}


PROOF: dict[str, list[str]] = {"proof": []}
SESSION: dict[str, list[str]] = {"dpop": [], "proof": []}


def open_to(path: str) -> str | None:
    """How open the contract leaves a call (rules 801, 153)."""
    place = path.removeprefix("/v1")
    top = "/" + place.split("/")[1]
    if place in OPEN["nothing"]:
        return "nothing"
    return next((kind for kind in ("either", "proof") if top in OPEN[kind]), None)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_what_a_call_must_bring_is_said_as_the_door_wants_it(method: str, path: str) -> None:
    kind = open_to(path)
    proofs = [PROOF] if kind in ("proof", "either") else []
    nothing: list[dict[str, list[str]]] = [{}] if kind in ("nothing", "either") else []
    assert DOCUMENT.operations[method, path]["security"] == [*nothing, *proofs, SESSION]


def test_whatever_the_document_points_at_is_in_it_and_nothing_else() -> None:
    components = json.loads(TEXT)["components"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', TEXT)) == set(components["schemas"])
    assert set(SESSION) == set(components["securitySchemes"])


def test_every_pattern_means_in_javascript_what_it_means_here() -> None:
    patterns = set(re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', TEXT))
    assert patterns, "the code of six digits has one"
    assert [one for one in patterns if re.search(r"\\\\[AZz]|\(\?[P<#aiLmsux]", one)] == []


def test_only_sending_a_code_again_needs_no_body() -> None:
    bodies = {
        call: told["requestBody"] for call, told in DOCUMENT.operations.items() if "requestBody" in told
    }
    optional = {path for (_, path), body in bodies.items() if not body["required"]}
    assert optional == {
        path for _, path in CALLS if path.endswith("/otp/resend") and not path.startswith("/v1/me/")
    }


def test_every_step_of_a_flow_is_told_to_app_developers_and_nothing_else() -> None:
    """mypy holds every flow to `Step`; what the surface describes is a part of it."""
    steps = set(get_args(Step))
    told = {name for name, _ in table(section("docs/api.md", "Signing in is a flow")) if name.isalpha()}
    assert told == steps
    shapes = json.loads(TEXT)["components"]["schemas"].values()
    answered = [shape["properties"]["step"] for shape in shapes if "step" in shape.get("properties", {})]
    named = {name for one in answered for name in (one.get("enum") or [one["const"]])}
    assert {"authorize", "otp", "done"} <= named <= steps
