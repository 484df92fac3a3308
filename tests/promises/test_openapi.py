"""The OpenAPI document is good enough to build a client from: every answer has a shape, every door is said."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mobile_api import auth
from scripts import docs as written
from tests.mobile_api.described import Document

DOCUMENT = Document(json.loads(written.openapi()))
CALLS = sorted(DOCUMENT.operations)


def shapes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema, or each of several."""
    schema = DOCUMENT.resolved(schema)
    return [shape for one in schema["oneOf"] for shape in shapes(one)] if "oneOf" in schema else [schema]


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
    for shape in shapes(told["content"]["application/json"]["schema"]):
        assert shape["type"] == "object" and shape["properties"] and shape["required"], shape


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_several_shapes_of_one_answer_are_told_apart_by_their_step(method: str, path: str) -> None:
    for status, told in DOCUMENT.operations[method, path]["responses"].items():
        if status.startswith("2") and "content" in told:
            found = shapes(told["content"]["application/json"]["schema"])
            steps = [shape["properties"].get("step", {}).get("const") for shape in found]
            assert len(found) == 1 or (None not in steps and len(set(steps)) == len(steps)), steps


OPEN = {
    "nothing": {"/captcha", "/phone-change-slips/{code}", "/support-codes/{code}", "/notices"},
    "either": {"/recoveries"},
    "proof": {"/logins", "/registrations", "/phone-changes", "/token"},
}


PROOF: dict[str, list[str]] = {"proof": []}
SESSION: dict[str, list[str]] = {"dpop": [], "proof": []}


def open_to(path: str) -> str | None:
    """How open the contract leaves a call (contract §3; contract-accounts, 13)."""
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
    assert auth.openness(method, path) == kind
    assert DOCUMENT.operations[method, path]["security"] == [*nothing, *proofs, SESSION]


def test_whatever_the_document_points_at_is_in_it() -> None:
    text = written.openapi()
    components = json.loads(text)["components"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= set(components["schemas"])
    assert set(SESSION) == set(components["securitySchemes"])


def test_every_pattern_means_in_javascript_what_it_means_here() -> None:
    patterns = set(re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', written.openapi()))
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
