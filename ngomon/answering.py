"""With what a call can be answered: statuses, the codes behind each, headers, and words for parameters (case D03).

What every call of its kind may get follows from the call itself: whether it has a body, a parameter, a cursor, and
how open it is. The rest is named in `mobile_api/told/calls.toml`; a code's status is the refusal's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from litestar.openapi.spec import (
    Example,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    Schema,
)

from backend.errors import catalogue
from backend.openness import Openness
from ngomon.samples import key_of
from ngomon.telling import words

Codes = dict[int, list[str]]
MEANINGS = {
    400: "Malformed",
    401: "Not known, or no longer",
    403: "Known, and no",
    404: "Not there, or not yours to see",
    409: "True only in another order, or decided already",
    410: "Its time is over",
    413: "Too large",
    415: "Not plain JSON",
    422: "Understood, but not acceptable",
    429: "Slow down",
    503: "Not now: somebody does not answer, or there is no room",
}
OTHERS = ("method_not_allowed", "request_timeout", "headers_too_large", "internal_error")
COMMON = (
    "bad_request",
    "body_malformed",
    "account_closed",
    "route_not_found",
    "database_unavailable",
    "storage_full",
    "server_stopping",
)
TOKENS = ["token_invalid", "token_expired", "session_replaced", "session_revoked"]
WITH_STATUS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def answer(operation: Operation, method: str, path: str, openness: Openness) -> None:
    """Say of one call what it is asked with and answered with."""
    _say_parameters(operation)
    name = str(operation.operation_id)
    good = {status: told for status, told in (operation.responses or {}).items() if status.startswith("2")}
    for status, told in good.items():
        if isinstance(told, OpenAPIResponse):
            told.headers = _headers(_of_good(name, status))
    problems = {
        str(status): _problem(status, codes, openness)
        for status, codes in sorted(_codes(operation, method, path, openness).items())
    }
    operation.responses = {**good, **_unchanged(name), **problems, "default": _problem(None, [], openness)}


def codes_of(name: str) -> list[str]:
    """The problems that this call has of its own."""
    found: list[str] = words("calls")["codes"].get(name, [])
    return found


def _codes(operation: Operation, method: str, path: str, openness: Openness) -> Codes:
    found: Codes = {400: ["bad_request"], 401: _unknown(openness), 403: ["account_closed"]}
    asked = {one.name for one in operation.parameters or [] if isinstance(one, Parameter)}
    if method in ("POST", "PUT", "PATCH"):
        found[400].append("body_malformed")
        found |= {413: ["payload_too_large"], 415: ["unsupported_media_type"]}
    if operation.request_body is not None or asked - _in_path(path) - {"If-None-Match"}:
        found[400].append("validation_failed")
    if "cursor" in asked:
        found[400].append("cursor_invalid")
    if _in_path(path):
        found[404] = ["route_not_found"]
    known = catalogue()
    for code in codes_of(str(operation.operation_id)):
        status = 422 if code == "validation_failed" else known[code].status
        found.setdefault(status, []).append(code)
    found.setdefault(503, []).extend(("database_unavailable", "storage_full", "server_stopping"))
    return found


def _in_path(path: str) -> set[str]:
    return {part[1:-1] for part in path.split("/") if part.startswith("{")}


def _unknown(openness: Openness) -> list[str]:
    first = [] if openness in (Openness.ANYBODY, Openness.EITHER) else ["unauthenticated"]
    return [
        *first,
        *TOKENS,
        "invalid_dpop_proof",
        *(["use_dpop_nonce"] if openness is Openness.NONCED else []),
    ]


def _problem(status: int | None, codes: Sequence[str], openness: Openness) -> OpenAPIResponse:
    shown = [code for code in codes if code not in COMMON] or codes[:1] or OTHERS[-1:]
    keys: dict[str, Example | Reference] = {key_of(code, status or 0): Example() for code in shown}
    media = OpenAPIMediaType(schema=Reference("#/components/schemas/Problem"), examples=keys)
    said = MEANINGS[status] if status is not None else "Anything else"
    names = ["Allow"] if status is None else [WITH_STATUS[status]] if status in WITH_STATUS else []
    if status == 401 and openness is Openness.NONCED:
        names.append("DPoP-Nonce")
    told = ", ".join(f"`{code}`" for code in codes or OTHERS)
    return OpenAPIResponse(
        description=f"{said}: {told}", content={"application/problem+json": media}, headers=_headers(names)
    )


def _unchanged(name: str) -> dict[str, OpenAPIResponse]:
    if name not in words("calls")["tagged"]["calls"]:
        return {}
    said = "Still what `If-None-Match` names; no body"
    return {"304": OpenAPIResponse(description=said, headers=_headers(["ETag"]))}


def _of_good(name: str, status: str) -> list[str]:
    """Headers of an answer that is no problem."""
    placed = words("calls")["placed"]["calls"]
    return [
        *(["ETag"] if name in words("calls")["tagged"]["calls"] else []),
        *(["Location"] if status == "201" and name in placed else []),
        *(["Content-Disposition"] if name == "exportMyData" else []),
    ]


def _headers(names: Iterable[str]) -> dict[str, OpenAPIHeader | Reference]:
    return {name: Reference(f"#/components/headers/{name}") for name in (*names, "X-Request-Id")}


def headers() -> dict[str, OpenAPIHeader | Reference]:
    """Every header that an answer of ours may have, for the document's components."""
    told = words("calls")["headers"]
    text = Schema(type=OpenAPIType.STRING)
    return {name: OpenAPIHeader(description=meaning, schema=text) for name, meaning in told.items()}


def _say_parameters(operation: Operation) -> None:
    told = words("calls")["parameters"]
    if operation.operation_id in words("calls")["tagged"]["calls"]:
        known = Parameter(
            name="If-None-Match",
            param_in="header",
            required=False,
            schema=Schema(type=OpenAPIType.STRING),
        )
        operation.parameters = [*(operation.parameters or []), known]
    for one in operation.parameters or []:
        if isinstance(one, Parameter):
            one.description = told.get(f"{operation.operation_id}.{one.name}") or told.get(one.name)
