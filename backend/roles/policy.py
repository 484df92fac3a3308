"""Who may do what to a role request, as pure questions; the answer is the reason why not (rules 610, 611).

The same questions decide in the transaction and hide the button on the page. What they are
asked about is read from the database at that moment (rules 613, 616).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from backend.accounts.identity.evidence import CERTIFICATE, SURE, VNEID
from backend.accounts.ways_in.assurance import InsufficientAssurance, LevelNeeded
from backend.errors import Conflict, FieldsInvalid, Forbidden, NotFound, Refusal

PENDING, RETURNED, APPROVED = "pending", "returned", "approved"
REJECTED, WITHDRAWN, EXPIRED = "rejected", "withdrawn", "expired"
APPROVE, RELEASE, RECEIVE, CONFIRM = "approve", "release", "receive", "confirm"
SCHEDULED, ACTIVE, SUSPENDED, ENDED, UNDONE = "scheduled", "active", "suspended", "ended", "undone"
OPEN = (PENDING, RETURNED)
HELD = (SCHEDULED, ACTIVE, SUSPENDED)  # states of a role that somebody has or will have


class PostOfficeNotForStaff(Forbidden):
    """Who came in by the post office alone registers no civil-servant role (source 001, I; rule 603)."""

    code = "post_office_not_for_staff"
    title = "Tài khoản từ Bưu điện không dành cho cán bộ, công chức, viên chức. Hãy đăng nhập bằng VNeID"


class PeopleOnly(Forbidden):
    """Roles belong to people (source 003, IV): an enterprise or an agency registers none."""

    code = "people_only"
    title = (
        "Tài khoản của tổ chức không đăng ký vai trò của cán bộ, công chức, viên chức."
        " Hãy đăng nhập bằng tài khoản cá nhân"
    )


class RequestOpen(Conflict):
    """The person already has a request that waits; `request_id` is it, where the person asks."""

    code = "request_open"
    title = "Bạn đang có một yêu cầu chưa được giải quyết"


class HomeRoleExists(Conflict):
    """The person already has a role; it is corrected or moved, not registered again."""

    code = "home_role_exists"
    title = "Bạn đã có vai trò, hãy điều chỉnh hoặc đề nghị chuyển công tác"


class RoleNotFound(NotFound):
    """No such role, or not one of yours that is in force."""

    code = "role_not_found"
    title = "Không tìm thấy vai trò đang có hiệu lực"


class RoleChanging(Conflict):
    """An approved change of this role waits for its day."""

    code = "change_scheduled"
    title = "Vai trò này đã có thay đổi được duyệt và đang chờ ngày hiệu lực"


class RoleMoved(Conflict):
    """The role is no longer what the request was about."""

    code = "role_changed"
    title = "Vai trò đã thay đổi sau khi yêu cầu được gửi"


class UnitClosed(Conflict):
    """The unit no longer exists."""

    code = "unit_closed"
    title = "Đơn vị đã kết thúc hoạt động"


class NotByItself(Conflict):
    """A secondment and a concurrent post are corrected or ended; what moves is the post that they stand on."""

    code = "not_by_itself"
    title = "Vai trò biệt phái hoặc kiêm nhiệm chỉ được điều chỉnh hoặc kết thúc"


class MovementUnknown(FieldsInvalid):
    """No such movement of this kind."""

    code = "movement_unknown"
    title = "Không có hình thức điều động này"


class UntilRequired(FieldsInvalid):
    """This movement has a last day."""

    code = "until_required"
    title = "Vui lòng cho biết ngày kết thúc"


class UntilTooLate(FieldsInvalid):
    """Longer than the catalogue allows, or than the post lasts that waits for it."""

    code = "until_too_late"
    title = "Ngày kết thúc vượt quá thời hạn cho phép"


class DatesPassed(Conflict):
    """The request waited past its own end."""

    code = "dates_passed"
    title = "Thời hạn của vai trò đã qua, hãy trả lại để sửa ngày"


class EmailTaken(Conflict):
    """Another person's role carries this official address."""

    code = "official_email_taken"
    title = "Thư điện tử công vụ đã thuộc về người khác"


class RequestNotFound(NotFound):
    """No such request, or not yours to see."""

    code = "request_not_found"
    title = "Không tìm thấy yêu cầu"


class NotYourRequest(Forbidden):
    """The request was made by somebody else."""

    code = "not_your_request"
    title = "Yêu cầu này do người khác khởi tạo"


class OwnRequest(Forbidden):
    """Nobody decides about themselves."""

    code = "own_request"
    title = "Bạn không thể quyết định yêu cầu của chính mình"


class NotYourUnit(Forbidden):
    """Another unit decides this."""

    code = "not_your_unit"
    title = "Việc này thuộc thẩm quyền của đơn vị khác"


class AlreadyDecided(Conflict):
    """Somebody was faster; `decision` and `at` say what was decided and when."""

    code = "already_decided"
    title = "Yêu cầu đã được xử lý"


class VersionConflict(Conflict):
    """The page shows an older version of the request; `version` is the present one."""

    code = "version_conflict"
    title = "Yêu cầu đã thay đổi, hãy tải lại trang"


class NotReturned(Conflict):
    """Only a returned request can be corrected; `request_status` is how far it is."""

    code = "not_returned"
    title = "Yêu cầu chưa được trả lại nên không thể sửa"


class ApplicantFrozen(Conflict):
    """Somebody reported that the person's sign-in was not theirs: nothing is granted until it is known who asks."""

    code = "applicant_frozen"
    title = (
        "Tài khoản của người này đang tạm khóa vì có báo cáo đăng nhập không chính chủ."
        " Chưa thể quyết định cho đến khi tài khoản được mở lại"
    )


class ApplicantNotVouched(Conflict):
    """Nobody whose word counts for such a role vouches for the person: it is not granted until VNeID has come (R30)."""

    code = "applicant_not_vouched"
    title = (
        "Người này chưa được VNeID mức 2 xác nhận nên chưa thể phê duyệt."
        " Hãy trả lại và nhắc người này đăng nhập bằng VNeID mức 2"
    )


class UndoTooLate(Conflict):
    """The seconds of grace are over, or something has already left the house."""

    code = "undo_too_late"
    title = "Đã quá thời gian hoàn tác"


class UnitPost(NamedTuple):
    """A unit on the way to the root: does it have managers, and is the applicant one of them."""

    unit_id: UUID
    managed: bool
    by_applicant: bool
    by_others: bool = False  # somebody beside the applicant


class Standing(msgspec.Struct, frozen=True):
    """How somebody stands towards one request, read in the deciding transaction."""

    sees: bool
    is_subject: bool
    duties: frozenset[str]  # the undecided duties that are theirs to decide
    concerned: bool = False  # a duty of theirs is or was among the steps
    acted: bool = False  # one of the decisions already made is theirs, or their unit's
    frozen: bool = False  # the account that the request is about
    lent: dict[str, UUID] = {}  # of these duties: the delegation by which they are theirs
    above: frozenset[str] = frozenset()  # these are theirs only because the nearer unit is late


def deciding_units(way_up: Sequence[UnitPost]) -> list[UUID]:
    """The units whose managers decide, the nearest first: those with managers among whom the applicant is not.

    So a manager's own request goes to the parent unit, and that of a unit without managers to the one above. If none
    does, it is the highest in which somebody beside the applicant decides (R05).
    """
    found = [post.unit_id for post in way_up if post.managed and not post.by_applicant]
    return found or [post.unit_id for post in way_up if post.by_others][-1:]


def why_not_see(standing: Standing) -> Refusal | None:
    """The reason why somebody may not even know of the request."""
    return None if standing.sees else RequestNotFound()


def why_not_decide(standing: Standing, *, status: str, decided: dict[str, Any]) -> Refusal | None:
    """The reason why somebody may not decide the request now; `decided` tells of the last word."""
    if not standing.sees:
        return RequestNotFound()
    if standing.is_subject:
        return OwnRequest()
    if status != PENDING:
        return AlreadyDecided(**decided)
    if not standing.duties:
        return AlreadyDecided(**decided) if standing.acted else NotYourUnit()
    return ApplicantFrozen() if standing.frozen else None


def why_not_take_over(standing: Standing, *, began_by_subject: bool) -> Refusal | None:
    """The reason why somebody may neither correct nor withdraw a request.

    What the person asked for is the person's; what a manager began is the managers' of the units concerned, as they
    are now, and never the person's: a manager's word must not stand under another's wish.
    """
    if standing.is_subject:
        return None if began_by_subject else NotYourRequest()
    if not standing.concerned:
        return RequestNotFound()
    return NotYourRequest() if began_by_subject else None


def why_not_start(*, is_subject: bool, duties: AbstractSet[str]) -> Refusal | None:
    """The reason why a manager may not move this person; one of the words that it wants must be theirs."""
    if is_subject:
        return OwnRequest()
    return None if duties else NotYourUnit()


def why_not_begin(*, first: bool, is_open: UUID | None, has_home: bool) -> Refusal | None:
    """The reason why a request may not be made now; `first`: for a role beside none. `is_open`: what waits."""
    if is_open is not None:
        return RequestOpen(request_id=is_open)
    return HomeRoleExists() if first and has_home else None


def why_not_assured(*, level: int, floor: int, sure: bool) -> Refusal | None:
    """The reason why the sign-in is not strong enough (rule 109); `sure`: whether VNeID of level 2 has ever come.

    Then signing in again helps; whoever it has never known so well is told how that is mended (R14).
    """
    if level >= floor:
        return None
    return (InsufficientAssurance if sure else LevelNeeded)(required={"level": floor})


def why_not_vouched(*, vneid: bool, certificate: bool, by: Collection[str]) -> Refusal | None:
    """The reason why somebody may not ask for a role: nobody whose word counts for it vouches for them (R30).

    `vneid`, `certificate`: whether VNeID of level 2, or a certificate, has ever come to the account. The remedy is a
    VNeID sign-in of the session's own person.
    """
    if (vneid and VNEID in by) or (certificate and CERTIFICATE in by):
        return None
    return InsufficientAssurance(required={"method": VNEID, "level": SURE})
