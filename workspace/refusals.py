"""How a no looks in the workspace: a calm page that says what to do, never a bare error."""

from __future__ import annotations

from typing import Any

import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from backend.errors import BadRequest, FieldsInvalid, NotFound, Refusal
from backend.remedies import remedy
from backend.words import say
from workspace.auth import SignedOut, Visit, login_path
from workspace.headers import headers_of, nonce_in
from workspace.pages import brand_of, errors_of, lang_of, page, with_choices

log = structlog.get_logger("workspace")


class Broken(Refusal):
    """A fault of ours; what it was stands in the log."""

    status = 500
    code = "internal"
    title = "Hệ thống gặp lỗi, vui lòng thử lại sau ít phút"


SAYS_MORE = (
    403,
    404,
    409,
    410,
)  # what to do about it, in the words that the app has too; elsewhere the page says it


class NotUnderstood(BadRequest):
    """The address or its parameters are not of the workspace."""

    code = "not_understood"
    title = "Địa chỉ hoặc tham số không hợp lệ"


def signed_out(request: Visit, _error: SignedOut) -> Response[Any]:
    """To the sign-in page; htmx must be told, or it would put that page into a table row."""
    path = with_choices(login_path(request), request)
    if request.headers.get("hx-request"):
        return Response(None, status_code=401, headers={"HX-Redirect": path})
    if "text/event-stream" in request.headers.get("accept", ""):  # a stream follows nobody to a page (F01)
        return Response(None, status_code=401)
    return Redirect(path, status_code=303)


def refused(request: Visit, refusal: Refusal) -> Response[str]:
    """The page of one refusal."""
    lang, places = lang_of(request), brand_of(request).places
    detail = say(refusal.detail, lang, **places, **refusal.facts) if refusal.detail else None
    if detail is None and refusal.status in SAYS_MORE:
        detail = remedy(refusal, lang)
    return page(
        request,
        "refusal.html",
        refusal=refusal,
        here="/workspace",
        title=say(refusal.title, lang, **places),
        detail=detail,
        fields=errors_of(refusal) if isinstance(refusal, FieldsInvalid) else [],
        code=refusal.code,
        retry_after=refusal.retry_after,
        is_inside=request.scope.get("user", True) is not None,
    )


def not_understood(request: Visit, error: HTTPException) -> Response[str]:
    """Litestar's own refusals in our words."""
    if error.status_code == 404:
        return refused(request, NotFound())
    answer = refused(request, NotUnderstood())
    answer.status_code = error.status_code
    return answer


def wrong_method(request: Visit, error: HTTPException) -> Response[str]:
    """A form's address asked for as a page, by Back or reload (F03): the page of a no, outside of any route."""
    nonce = nonce_in(request.scope)
    answer = not_understood(request, error)
    for name, value in headers_of(nonce).items():
        answer.headers[name] = value
    return answer


def broken(request: Visit, error: Exception) -> Response[str]:
    """The last resort: the traceback goes to the log only."""
    log.error("workspace_fault", path=request.url.path, error=type(error).__name__, exc_info=error)
    return refused(request, Broken())
