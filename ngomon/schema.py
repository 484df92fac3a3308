"""The API's contract as OpenAPI 3.1, at `/schema` (rule 801)."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIType,
    RequestBody,
    Schema,
    SecurityRequirement,
    SecurityScheme,
    Tag,
)

from backend.openness import Openness
from mobile_api.auth import OpennessOf
from mobile_api.problems import RouteNotFound
from ngomon import problem_shape
from ngomon.answering import answer, headers
from ngomon.samples import restored
from ngomon.shapes import operations, understood

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


def in_our_words(response: Response[Any]) -> Response[Any]:
    """The framework has a page of its own for what it does not find here; we answer as everywhere (D04)."""
    if response.status_code == 404:
        raise RouteNotFound
    return response


def config() -> OpenAPIConfig:
    """The document's head."""
    return OpenAPIConfig(
        title="Ngọ Môn",
        version="1",
        description="Một người, một tài khoản, một thiết bị, đúng vai trò ở mọi hệ thống.",
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, after_request=in_our_words
        ),
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
        found = app.state["described"] = restored(app.openapi_schema.to_schema())
    return found


def _complete(app: Litestar, openness_of: OpennessOf) -> None:
    """Say of every call of the API what the framework does not know: its problems, its door, an optional body."""
    document = app.openapi_schema
    document.components.headers = headers()
    document.components.schemas.update(problem_shape.shapes())  # the framework drops what its config names
    for method, path, operation in operations(document):
        openness = openness_of(method, path)
        answer(operation, method, path, openness)
        operation.security = WANTED.get(openness, [SESSION])
        if isinstance(operation.request_body, RequestBody):
            _say_if_optional(operation.request_body)
    understood(document)


def _say_if_optional(body: RequestBody) -> None:
    """A handler that takes null for a body takes none at all as well; the framework calls every body required."""
    body.required = True
    for media in body.content.values():
        several = (media.schema.one_of if isinstance(media.schema, Schema) else None) or ()
        named = [one for one in several if not (isinstance(one, Schema) and one.type == OpenAPIType.NULL)]
        if len(named) == 1 < len(several):  # one shape or none: generators read an optional body, not a union
            media.schema, body.required = named[0], False
