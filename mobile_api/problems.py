"""Refusals as `application/problem+json` (RFC 9457, rule 801)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.types import Scope

from backend import remedies, words
from backend.bodyguard import BodyMalformed
from backend.errors import BadRequest, NotFound, Refusal, Unavailable, Unproved
from backend.words import mark
from mobile_api import going

PROBLEM = "application/problem+json"
NOTHING: Mapping[str, str] = {}
BODY = "data"  # what the framework calls a body
log = structlog.get_logger("http")


class RouteNotFound(NotFound):
    """No such address."""

    code = "route_not_found"
    title = "Không có địa chỉ này"


class MethodNotAllowed(Refusal):
    """The address does not know this method (rule 806)."""

    status = 405
    code = "method_not_allowed"
    title = "Phương thức không được hỗ trợ"


class PayloadTooLarge(Refusal):
    """The body is larger than this address takes (rule 805)."""

    status = 413
    code = "payload_too_large"
    title = "Nội dung gửi lên quá lớn"


class UnsupportedMediaType(Refusal):
    """Only plain JSON is read."""

    status = 415
    code = "unsupported_media_type"
    title = "Chỉ nhận nội dung JSON (application/json)"


class RequestTimeout(Refusal):
    """The body did not arrive in time (rule 805)."""

    status = 408
    code = "request_timeout"
    title = "Nội dung gửi lên không đến kịp thời gian"


class HeadersTooLarge(Refusal):
    """The headers are larger than we read."""

    status = 431
    code = "headers_too_large"
    title = "Phần tiêu đề yêu cầu quá lớn"


class ValidationFailed(BadRequest):
    """A field has the wrong type or is missing, too long or unknown; `errors` name them."""

    code = "validation_failed"
    title = "Có trường chưa hợp lệ"


class ServerStopping(Unavailable):
    """The server is told to stop, and the call has used up the time that it had to end."""

    code = "server_stopping"
    title = "Máy chủ đang dừng hoặc khởi động lại nên chưa trả lời được"


class InternalError(Refusal):
    """A mistake of ours; the log has it under the instance."""

    status = 500
    code = "internal_error"
    title = "Hệ thống gặp lỗi, vui lòng thử lại; nếu liên hệ hỗ trợ, hãy cung cấp mã tham chiếu"


def language_of(scope: Scope) -> str:
    """The language that the caller reads."""
    for name, value in scope["headers"]:
        if name == b"accept-language":
            return words.language(value.decode("latin-1"))
    return words.VIETNAMESE


def instance_of(scope: Scope) -> str:
    """The request's identifier, as the edge gave it."""
    return str(scope.get("request_id", ""))


def home_of(scope: Scope) -> str:
    """Our public address, as the edge gave it: where the page of a problem stands."""
    return str(scope.get("public_url", ""))


def body_of(
    refusal: Refusal, *, lang: str, instance: str, home: str, places: Mapping[str, str] = NOTHING
) -> bytes:
    """The problem as bytes. `detail` says what the title does not: what is to be done, where nothing else was said.

    `home` is our public address, `places` are what the province's branding fills in.
    """
    title = words.say(refusal.title, lang, **places)
    body: dict[str, Any] = {
        "type": f"{home}/problems/{refusal.code}",
        "title": title,
        "status": refusal.status,
        "detail": words.say(refusal.detail, lang, **places, **refusal.facts)
        if refusal.detail
        else remedies.remedy(refusal, lang),
        "instance": f"urn:request:{instance}",
        "code": refusal.code,
    }
    body |= refusal.facts
    if isinstance(errors := refusal.facts.get("errors"), list):
        body["errors"] = [_told(error, lang) for error in errors]
    return msgspec.json.encode(body, enc_hook=str)


def _told(error: dict[str, str], lang: str) -> dict[str, str]:
    """One bad field as it is shown: what was filled into its message stands nowhere else."""
    message = words.say(error["message"], lang, **remedies.places(error))
    return {"field": error["field"], "code": error["code"], "message": message}


def headers_of(refusal: Refusal) -> list[tuple[str, str]]:
    """The headers that go with the status."""
    headers = [("content-type", PROBLEM), ("cache-control", "no-store")]
    if refusal.retry_after is not None or refusal.status in (429, 503):
        headers.append(("retry-after", str(refusal.retry_after if refusal.retry_after is not None else 30)))
    if refusal.status == 401:
        headers.append(("www-authenticate", f'DPoP {_oauth_error(refusal.code)}algs="ES256 EdDSA"'))
    return headers


def _oauth_error(code: str) -> str:
    """RFC 9449 §7.1 names for the two that have one; whoever brought nothing is told of no error (RFC 6750 §3.1)."""
    if code == Unproved.code:
        return ""
    return f'error="{code if code in ("invalid_dpop_proof", "use_dpop_nonce") else "invalid_token"}", '


def on_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[bytes]:
    """Exception handler for every refusal: the problem as a response."""
    scope, places = request.scope, request.app.state.brand.places
    return Response(
        body_of(
            refusal,
            lang=language_of(scope),
            instance=instance_of(scope),
            home=home_of(scope),
            places=places,
        ),
        status_code=refusal.status,
        headers=dict(headers_of(refusal)) | going.told_in(scope),
        media_type=MediaType.TEXT,
        background=BackgroundTask(refusal.later) if refusal.later else None,
    )


def on_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Exception handler for what the framework itself refuses; 405 says what is allowed (RFC 9110 §15.5.6)."""
    answer = on_refusal(request, _translated(error))
    for name, value in (error.headers or {}).items():
        methods = value.split(", ") if name.lower() == "allow" else []
        answer.headers[name] = f"{value}, HEAD" if "GET" in methods else value  # the edge answers HEAD as GET
    return answer


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Exception handler for mistakes of ours: the traceback goes to the log alone (rule 804)."""
    if isinstance(error, UnicodeDecodeError | RecursionError):
        return on_refusal(request, BodyMalformed())
    log.error("unhandled", request=instance_of(request.scope), exc_info=error)
    return on_refusal(request, InternalError())


def _translated(error: HTTPException) -> Refusal:
    if isinstance(error, ValidationException):
        return ValidationFailed(None, errors=_fields(error))
    if isinstance(error, NotFoundException):
        return RouteNotFound()
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed()
    if error.status_code == 413:
        return PayloadTooLarge()
    if error.status_code < 500:
        return BodyMalformed() if error.status_code == 400 else BadRequest()
    return InternalError()


def _fields(error: ValidationException) -> list[dict[str, str]]:
    """One entry per field that the schema refused, with the words of the parser."""
    found = []
    for entry in error.extra if isinstance(error.extra, list) else []:
        message, key = str(entry.get("message", "")), str(entry.get("key", ""))
        found.append(_field(message, key))
    return found or [_field(str(error.detail), "")]


def _field(message: str, key: str) -> dict[str, str]:
    text, _, path = message.partition(" - at `$")
    unknown = text.partition("unknown field `")[2].rstrip("`")
    missing = text.partition("missing required field `")[2].rstrip("`")
    place = (path.strip(".`") or key).replace("[...]", "")  # of what is not there: what should hold it
    field = ".".join(part for part in (place, unknown or missing) if part not in ("", BODY)) or "body"
    if unknown:
        return {"field": field, "code": "unknown", "message": mark("Trường này không có, vui lòng bỏ đi")}
    if missing:
        return {"field": field, "code": "missing", "message": mark("Vui lòng nhập trường này")}
    wrong_type = text.startswith("Expected `") and ", got `" in text
    if wrong_type:
        return {"field": field, "code": "type", "message": mark("Sai kiểu dữ liệu")}
    return {"field": field, "code": "invalid", "message": _remedy(text, field)}


def _remedy(text: str, field: str) -> str:
    """What to do about a value that breaks the schema, in words for whoever typed it."""
    if text.endswith("of length >= 1"):
        return mark("Vui lòng nhập trường này")
    if "of length <=" in text:
        return mark("Nội dung quá dài")
    if field == "code" and "matching regex" in text:
        return mark("Mã xác thực gồm 6 chữ số")
    return mark("Giá trị không hợp lệ")
