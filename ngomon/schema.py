"""The API's contract as OpenAPI 3.1, at `/schema` (contract §3)."""

from __future__ import annotations

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Reference,
    Schema,
    SecurityScheme,
    Tag,
)

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
}
TEXT = Schema(type=OpenAPIType.STRING)
PROBLEM = Schema(
    type=OpenAPIType.OBJECT,
    title="Problem",
    description="RFC 9457; clients switch on `code`, which is stable and listed in docs/problems.md",
    properties={
        **dict.fromkeys(("type", "title", "detail", "instance", "code"), TEXT),
        "status": Schema(type=OpenAPIType.INTEGER),
        "errors": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(
                type=OpenAPIType.OBJECT, properties=dict.fromkeys(("field", "code", "message"), TEXT)
            ),
        ),
    },
    required=["type", "title", "status", "detail", "instance", "code"],
)


def config() -> OpenAPIConfig:
    """The document's head."""
    return OpenAPIConfig(
        title="Ngọ Môn",
        version="1",
        description="Một người, một tài khoản, một thiết bị, đúng vai trò ở mọi hệ thống.",
        path="/schema",
        render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        use_handler_docstrings=True,
        components=Components(
            schemas={"Problem": PROBLEM},
            security_schemes={
                "dpop": SecurityScheme(
                    type="http", scheme="DPoP", description="RFC 9449: the token is bound to the device's key"
                )
            },
        ),
        security=[{"dpop": []}],
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


def tell_problems(app: Litestar) -> None:
    """Every call may answer with a problem; the framework would document its own error body instead."""
    content = {"application/problem+json": OpenAPIMediaType(schema=Reference("#/components/schemas/Problem"))}
    for path, item in (app.openapi_schema.paths or {}).items():
        operations = (item.get, item.put, item.post, item.delete, item.patch)
        for operation in operations if path.startswith("/v1") else ():
            if operation is not None and operation.responses is not None:
                for status, meaning in PROBLEMS.items():
                    operation.responses[status] = OpenAPIResponse(description=meaning, content=content)
