"""What can be refused, and how a refusal is named (RFC 9457).

A refusal is raised when nothing may stay behind, and returned (then raised by
`settle` after the commit) when the attempt itself must be remembered.
Titles are Vietnamese; `backend.words` gives the English.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

T = TypeVar("T")


class CannotStart(Exception):
    """What was to be started lacks something; its text is the one line that an operator reads."""


class Refusal(Exception):
    """The root of every answer that is a clear no. `code` is stable; facts hold no personal data.

    The facts stand beside the words on the wire, and fill the `{places}` of `detail`.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Yêu cầu không được chấp nhận"

    def __init__(
        self, detail: str | None = None, /, *, retry_after: int | None = None, **facts: object
    ) -> None:
        super().__init__(self.code)
        self.detail = detail
        self.retry_after = retry_after
        self.facts = facts
        self.later: Callable[[], Awaitable[None]] | None = (
            None  # done after the answer: its time tells nothing
        )


class BadRequest(Refusal):
    """Not understood: malformed, or at the wrong place."""

    status = 400
    code = "bad_request"


class Unproved(Refusal):
    """We do not know who this is, or no longer."""

    status = 401
    code = "unauthenticated"
    title = "Bạn cần đăng nhập"


class Forbidden(Refusal):
    """We know who this is, and no."""

    status = 403
    code = "forbidden"
    title = "Bạn không có quyền thực hiện việc này"


class NotFound(Refusal):
    """Not there, or not yours to see."""

    status = 404
    code = "not_found"
    title = "Không tìm thấy"


class Conflict(Refusal):
    """True a moment ago, or true only in another order."""

    status = 409
    code = "conflict"
    title = "Trạng thái đã thay đổi"


class Gone(Refusal):
    """It was there, and its time is over."""

    status = 410
    code = "gone"


class Invalid(Refusal):
    """Understood, but not acceptable. `errors` name the fields (RFC 9457 §3.2)."""

    status = 422
    code = "invalid"
    title = "Dữ liệu chưa hợp lệ"


class KeyReused(Invalid):
    """The same Idempotency-Key came with another body."""

    code = "idempotency_key_reused"
    title = "Khóa Idempotency-Key đã được dùng cho một yêu cầu khác"


class TooMany(Refusal):
    """Slow down; always with Retry-After (RFC 6585 §4)."""

    status = 429
    code = "too_many"
    title = "Bạn thao tác quá nhanh, vui lòng thử lại sau"


class Unavailable(Refusal):
    """Somebody that we depend on does not answer; always with Retry-After."""

    status = 503
    code = "unavailable"
    title = "Hệ thống liên quan tạm thời không phản hồi"


class FieldsInvalid(Invalid):
    """One or more fields of the body are not acceptable."""

    code = "validation_failed"
    title = "Có trường chưa hợp lệ"

    def __init__(self, *fields: FieldError) -> None:
        super().__init__(None, errors=[field.as_dict() for field in fields])
        self.fields = fields


class FieldError:
    """One bad field: its name, a stable code and the remedy in words, with what is filled into them."""

    def __init__(self, field: str, code: str, message: str, **places: str) -> None:
        self.field, self.code, self.message, self.places = field, code, message, places

    def as_dict(self) -> dict[str, str]:
        """The wire form `{field, code, message}` of rule 801, and the places of the message."""
        return {"field": self.field, "code": self.code, "message": self.message, **self.places}


def gather(bad: list[FieldError], read: Callable[[], T]) -> T | None:
    """Read one part of a body; what is wrong with it goes into `bad`, to be told with the rest."""
    try:
        return read()
    except FieldsInvalid as fault:
        bad.extend(fault.fields)
        return None


def settle(outcome: T | Refusal) -> T:
    """Raise a refusal that had to be committed first; otherwise hand the value on."""
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def catalogue() -> dict[str, type[Refusal]]:
    """Every refusal that can leave the product, by code; the docs are compared with it."""
    found: dict[str, type[Refusal]] = {}
    queue: list[type[Refusal]] = [Refusal]
    while queue:
        kind = queue.pop()
        found[kind.code] = kind
        queue.extend(kind.__subclasses__())
    return found
