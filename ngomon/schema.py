"""The API's contract as OpenAPI 3.1, at `/schema` (rule 801)."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Reference,
    RequestBody,
    Schema,
    SecurityRequirement,
    SecurityScheme,
    Tag,
)

from backend.openness import Openness
from mobile_api.auth import OpennessOf
from ngomon import problem_shape
from ngomon.shapes import operations, understood

PROBLEMS = {
    "400": "Malformed: `body_malformed`, `validation_failed`",
    "401": "`unauthenticated`, `token_*`, `session_*`, `invalid_dpop_proof`, `use_dpop_nonce`",
    "403": "Known, and no",
    "404": "Not there, or not yours to see",
    "409": "True only in another order, or decided already",
    "410": "Its time is over",
    "413": "`payload_too_large`",
    "415": "`unsupported_media_type`",
    "422": "Understood, but not acceptable; `errors` name the fields",
    "429": "Slow down; with Retry-After",
    "503": "A counterpart does not answer; with Retry-After",
    "default": "`method_not_allowed` (405), `request_timeout` (408), `headers_too_large` (431), `internal_error` (500)",
}
PROOF: SecurityRequirement = {"proof": []}
SESSION: SecurityRequirement = {"dpop": [], "proof": []}
WANTED: dict[Openness, list[SecurityRequirement]] = {
    Openness.PROOF: [PROOF, SESSION],
    Openness.NONCED: [PROOF, SESSION],
    Openness.EITHER: [{}, PROOF, SESSION],
    Openness.ANYBODY: [{}, SESSION],
}  # what a call may bring, by how open its handler is; a session where it is not


class Described(JsonRenderPlugin):
    """Serves the completed document."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """As the framework asks for it; what it hands over is the document before it was completed."""
        return self.render_json(request, described(request.app))


def config() -> OpenAPIConfig:
    """The document's head."""
    return OpenAPIConfig(
        title="Ngọ Môn",
        version="1",
        description="Một người, một tài khoản, một thiết bị, đúng vai trò ở mọi hệ thống.",
        path="/schema",
        render_plugins=[Described(path=["/", "/openapi.json"])],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "dpop": SecurityScheme(
                    type="http", scheme="DPoP", description="RFC 9449: the token is bound to the device's key"
                ),
                "proof": SecurityScheme(
                    type="apiKey",
                    name="DPoP",
                    security_scheme_in="header",
                    description="RFC 9449: signed with the device's key for this one call; with a token also its `ath`",
                ),
            },
        ),
        security=[SESSION],
        tags=[
            Tag(name="logins"),
            Tag(name="registrations"),
            Tag(name="recoveries"),
            Tag(name="phone-changes"),
            Tag(name="captcha"),
            Tag(name="sessions"),
            Tag(name="devices"),
            Tag(name="me"),
            Tag(name="roles"),
            Tag(name="support"),
        ],
    )


def prepare(app: Litestar, openness_of: OpennessOf, *, at_once: bool) -> None:
    """Say what the document needs to know; made `at_once`, no call waits the third of a second that it takes."""
    app.state.openness_of = openness_of
    if at_once:
        described(app)


def described(app: Litestar) -> dict[str, Any]:
    """The whole document, made when somebody first asks for it: most processes are never asked."""
    found: dict[str, Any] | None = app.state.get("described")
    if found is None:
        _complete(app, app.state.openness_of)
        found = app.state["described"] = app.openapi_schema.to_schema()
    return found


def _complete(app: Litestar, openness_of: OpennessOf) -> None:
    """Say of every call of the API what the framework does not know: its problems, its door, an optional body."""
    document = app.openapi_schema
    document.components.schemas.update(problem_shape.shapes())  # the framework drops what its config names
    for method, path, operation in operations(document):
        operation.responses = {**(operation.responses or {}), **_problems()}
        operation.security = WANTED.get(openness_of(method, path), [SESSION])
        if isinstance(operation.request_body, RequestBody):
            _say_if_optional(operation.request_body)
    understood(document)


def _problems() -> dict[str, OpenAPIResponse]:
    """Every call may answer with a problem; the framework would document its own error body instead."""
    content = {"application/problem+json": OpenAPIMediaType(schema=Reference("#/components/schemas/Problem"))}
    return {
        status: OpenAPIResponse(description=meaning, content=content) for status, meaning in PROBLEMS.items()
    }


def _say_if_optional(body: RequestBody) -> None:
    """A handler that takes null for a body takes none at all as well; the framework calls every body required."""
    body.required = True
    for media in body.content.values():
        several = (media.schema.one_of if isinstance(media.schema, Schema) else None) or ()
        named = [one for one in several if not (isinstance(one, Schema) and one.type == OpenAPIType.NULL)]
        if len(named) == 1 < len(several):  # one shape or none: generators read an optional body, not a union
            media.schema, body.required = named[0], False
