"""What to do about a refusal that says nothing else: a problem's `detail` never repeats its title (rule 801).

By its code where there is something to say, else by its status. A refusal that is made with a detail keeps it.
"""

from __future__ import annotations

import math

from backend.errors import Refusal
from backend.words import mark as _
from backend.words import say

WAITS = ((_("Hãy thử lại sau {n} giây."), 1, 120), (_("Hãy thử lại sau {n} phút."), 60, 7200))
HOURS = _("Hãy thử lại sau {n} giờ.")
A_MISTAKE = _("Ứng dụng cần được sửa hoặc cập nhật. Hãy báo bộ phận hỗ trợ kèm mã tham chiếu.")
BY_STATUS = {
    400: _("Hãy kiểm tra lại nội dung gửi lên rồi thử lại."),
    401: _("Hãy đăng nhập lại để tiếp tục."),
    403: _("Nếu bạn cho rằng mình phải làm được việc này, hãy hỏi thủ trưởng đơn vị hoặc bộ phận hỗ trợ."),
    404: _("Có thể mục này không còn, hoặc không thuộc phạm vi bạn được xem."),
    409: _("Hãy tải lại để xem trạng thái hiện tại rồi thử lại."),
    410: _("Hãy bắt đầu lại từ đầu."),
    422: _("Hãy sửa những gì được nêu rồi gửi lại."),
    503: _("Chưa có gì được ghi nhận. Hãy thử lại sau ít phút."),
}
BY_CODE = {
    "body_malformed": _("Hãy cập nhật ứng dụng; nếu vẫn gặp, hãy báo bộ phận hỗ trợ kèm mã tham chiếu."),
    "validation_failed": _("Hãy sửa những trường được nêu rồi gửi lại."),
    "cursor_invalid": _("Danh sách đã thay đổi hoặc địa chỉ trang không đúng. Hãy xem lại từ đầu."),
    "route_not_found": _("Có thể ứng dụng đã cũ. Hãy cập nhật ứng dụng rồi thử lại."),
    "payload_too_large": _("Hãy rút ngắn nội dung rồi gửi lại."),
    "request_timeout": _("Đường truyền có thể đang chậm. Hãy thử lại."),
    "idempotency_key_reused": _("Hãy gửi yêu cầu mới với một khóa mới."),
    "internal_error": _("Lỗi đã được ghi lại để khắc phục."),
    "server_stopping": _("Có thể việc vừa làm đã được ghi nhận: hãy mở lại và xem trước khi làm lại."),
    "database_unavailable": _("Chưa có gì được ghi nhận, bạn không phải làm lại từ đầu."),
    "storage_full": _("Chưa có gì được ghi nhận; những gì đã có vẫn xem được."),
    "unauthenticated": _("Hãy đăng nhập rồi thực hiện lại."),
    "token_invalid": _("Phiên này không còn dùng được trên thiết bị này."),
    "token_expired": _("Ứng dụng sẽ tự gia hạn phiên; nếu không được, hãy đăng nhập lại."),
    "session_replaced": _("Nếu không phải bạn, hãy bấm “Không phải tôi” để khóa tài khoản ngay."),
    "session_revoked": _("Nếu không phải bạn kết thúc, hãy xem lịch sử truy cập sau khi đăng nhập."),
    "invalid_dpop_proof": _("Hãy kiểm tra ngày giờ của thiết bị rồi thử lại."),
    "use_dpop_nonce": _(
        "Mã nằm ở tiêu đề DPoP-Nonce của câu trả lời này; ứng dụng đưa vào bằng chứng và gửi lại một lần."
    ),
    "account_frozen": _("Cho đến khi được mở khóa, không ai đăng nhập được vào tài khoản này."),
    "account_closed": _("Nếu bạn cần dùng lại dịch vụ, hãy liên hệ bộ phận hỗ trợ."),
    "session_not_found": _("Phiên này có thể đã kết thúc. Hãy xem lại danh sách phiên."),
    "workspace_code_not_found": _(
        "Mỗi mã chỉ dùng được trong thời gian ngắn. Hãy tải lại trang để có mã mới."
    ),
    "workspace_code_used": _("Mỗi mã chỉ dùng được một lần."),
    "workspace_number_wrong": _(
        "Nếu bạn không tự mở trang đăng nhập, có người đang thử vào bằng tên bạn: đừng quét lại."
    ),
    "not_replaced": _(
        "Chỉ thiết bị vừa bị thay thế trong vòng một ngày mới báo cáo được. Nếu nghi ngờ, hãy liên hệ bộ phận hỗ trợ."
    ),
    "flow_not_found": _(
        "Mỗi lần thao tác chỉ kéo dài ít phút và chỉ tiếp tục được trên thiết bị đã bắt đầu."
    ),
    "flow_step_mismatch": _("Ứng dụng cần tiếp tục từ bước đang chờ."),
    "login_cancelled": _("Chưa có gì thay đổi. Khi nào sẵn sàng, hãy đăng nhập lại."),
    "login_refused": _("Nếu vẫn gặp, hãy thử cách đăng nhập khác hoặc liên hệ bộ phận hỗ trợ."),
    "certificate_refused": _(
        "Hãy kiểm tra SIM hoặc USB ký số còn hạn và đúng loại dùng để đăng nhập, rồi thử lại từ đầu."
    ),
    "certificate_check_unavailable": _("Chữ ký vừa tạo còn dùng được trong ít phút."),
    "registration_required": _("Đăng ký bằng chính chứng thư số này chỉ mất một phút."),
    "credentials_wrong": _(
        "Hãy kiểm tra số định danh và mật khẩu, dùng “Quên mật khẩu”, hoặc đăng nhập bằng VNeID."
    ),
    "no_password": _("Mật khẩu chỉ có ở tài khoản đăng ký bằng thuê bao hoặc bảo hiểm xã hội."),
    "too_many_attempts": _("Việc này chỉ chặn mật khẩu, không chặn các cách đăng nhập khác."),
    "too_busy": _("Có nhiều người đang đăng nhập cùng lúc; mật khẩu của bạn chưa bị tính là sai."),
    "link_required": _("Như vậy không ai khác vào được tài khoản của bạn chỉ bằng số định danh."),
    "account_exists": _("Nếu không nhớ mật khẩu, hãy dùng “Quên mật khẩu” hoặc đăng nhập bằng VNeID."),
    "registry_mismatch": _(
        "Hãy so họ tên, ngày sinh và các số đã nhập với giấy tờ. Nếu đều đúng, hãy đăng ký bằng VNeID."
    ),
    "registry_unavailable": _("Những gì bạn đã nhập vẫn được giữ."),
    "subscriber_mismatch": _("Số cũ vẫn nhận mã như trước."),
    "use_vneid": _("Người giữ vai trò và tài khoản không có mật khẩu được bảo vệ bằng VNeID."),
    "recovery_refused": _("Hãy đăng nhập bằng VNeID hoặc chứng thư số, hoặc liên hệ bộ phận hỗ trợ."),
    "otp_wrong": _("Hãy xem lại tin nhắn mới nhất và nhập đủ 6 chữ số."),
    "otp_exhausted": _("Mã đã gửi không còn dùng được."),
    "otp_expired": _("Hãy yêu cầu gửi mã mới, hoặc bắt đầu lại."),
    "captcha_required": _("Ứng dụng sẽ tự giải và gửi lại; việc này có thể mất vài giây."),
    "provider_unavailable": _("Bạn có thể chờ, hoặc đăng nhập bằng cách khác."),
    "mail_password_uncertain": _(
        "Hãy thử đăng nhập thư bằng mật khẩu mới; nếu chưa được, hãy gửi lại mật khẩu ấy sau ít phút."
    ),
    "mail_directory_unavailable": _("Mật khẩu cũ vẫn dùng được; hãy gửi lại mật khẩu mới sau ít phút."),
    "sms_unavailable": _("Lần này không bị tính vào số lần gửi mã."),
    "attribute_verified": _(
        "Nếu thông tin sai, hãy sửa tại nơi đã xác minh (VNeID, nhà mạng, cơ quan cấp chứng thư)."
    ),
    "use_phone_change": _("Chức năng này kiểm tra thuê bao trước khi thay số."),
    "last_method": _("Hãy thêm một phương thức khác trước, rồi gỡ phương thức này."),
    "method_not_found": _("Hãy xem lại danh sách phương thức đăng nhập."),
    "method_exists": _("Không cần thêm lần nữa; hãy xem danh sách phương thức đăng nhập."),
    "certificate_of_another": _("Hãy dùng SIM hoặc USB ký số cấp cho chính bạn."),
    "identity_of_another": _("Hãy đăng nhập VNeID bằng tài khoản của chính bạn."),
    "join_conflict": _("Hãy giải quyết những việc được nêu, rồi thử gộp lại."),
    "purpose_unknown": _("Hãy xem lại danh sách mục đích."),
    "not_by_consent": _("Vì vậy không tắt được; bạn vẫn xem được căn cứ và thời gian lưu."),
    "erasure_refused": _("Hãy thử lại khi những việc được nêu đã kết thúc."),
    "people_only": _("Vai trò gắn với một người, không gắn với tổ chức."),
    "post_office_not_for_staff": _("Sau khi đăng nhập bằng VNeID, bạn đăng ký vai trò như bình thường."),
    "insufficient_assurance": _("Sau đó hãy gửi lại yêu cầu này."),
    "request_open": _("Hãy mở yêu cầu ấy để xem, sửa hoặc rút trước khi gửi yêu cầu khác."),
    "home_role_exists": _("Mỗi người chỉ có một vai trò chính; chức vụ thứ hai là kiêm nhiệm."),
    "role_not_found": _("Vai trò có thể đã kết thúc. Hãy xem lại danh sách vai trò."),
    "not_by_itself": _("Muốn chuyển công tác, hãy chọn vai trò chính."),
    "incompatible_roles": _("Hãy chọn chức vụ khác, hoặc kết thúc chức vụ đang giữ trước."),
    "concurrent_limit": _("Hãy kết thúc một chức vụ kiêm nhiệm trước."),
    "movement_unknown": _(
        "Các hình thức có trong tài liệu API: transfer, rotation, secondment, appointment, dismissal."
    ),
    "change_scheduled": _("Hãy đợi đến ngày ấy, hoặc hủy thay đổi đã hẹn trước."),
    "role_changed": _("Hãy xem lại vai trò hiện tại rồi gửi yêu cầu mới."),
    "request_not_found": _("Yêu cầu có thể đã rút, hoặc không thuộc phạm vi bạn được xem."),
    "not_your_request": _("Người đã khởi tạo mới rút hoặc sửa được yêu cầu này."),
    "not_returned": _("Chỉ sửa được khi đơn vị đã trả lại; lúc đang chờ, hãy rút rồi gửi yêu cầu mới."),
    "already_decided": _("Hãy tải lại để xem kết quả."),
    "version_conflict": _("Người khác đã sửa hoặc xử lý trong lúc bạn đang xem."),
    "dates_passed": _("Hãy sửa ngày rồi gửi lại."),
    "employee_code_taken": _("Hãy kiểm tra lại mã; nếu mã đúng là của bạn, hãy liên hệ bộ phận hỗ trợ."),
    "official_email_taken": _(
        "Hãy kiểm tra lại địa chỉ; nếu địa chỉ đúng là của bạn, hãy liên hệ bộ phận hỗ trợ."
    ),
    "unit_not_found": _("Hãy tìm lại đơn vị theo tên hoặc mã."),
    "unit_closed": _("Hãy chọn đơn vị tiếp nhận công việc của đơn vị này."),
    "not_in_directory": _("Vẫn đăng ký được; người duyệt sẽ đối chiếu kỹ hơn."),
    "undo_too_late": _(
        "Chỉ hoàn tác được trong ít giây sau khi quyết định. Muốn thay đổi, hãy tạo yêu cầu mới."
    ),
    "until_required": _("Hình thức này có thời hạn nên cần ngày kết thúc."),
    "until_too_late": _("Hãy chọn ngày kết thúc sớm hơn."),
    "case_not_found": _("Hãy kiểm tra lại mã, hoặc xem danh sách yêu cầu của bạn."),
    "desk_not_found": _("Hãy bỏ trống để gửi đến đầu mối mặc định."),
    "notice_not_found": _("Thông báo có thể đã hết hạn. Hãy xem lại danh sách."),
    "notice_not_deniable": _("Nếu nghi ngờ, hãy gửi yêu cầu hỗ trợ."),
    "case_closed": _("Hãy gửi yêu cầu hỗ trợ mới."),
    "no_desk": _("Hãy gọi tổng đài; yêu cầu của bạn chưa được gửi."),
    "case_codes_exhausted": _("Yêu cầu của bạn chưa được gửi."),
    "workspace_level": _("Công an xã, phường làm thủ tục này miễn phí."),
}


def remedy(refusal: Refusal, lang: str) -> str:
    """One sentence or two, in the reader's language."""
    return of_code(refusal.code, refusal.status, lang, refusal.retry_after)


def of_code(code: str, status: int, lang: str, retry_after: int | None = None) -> str:
    """The same of a refusal that nobody has made yet."""
    if code not in BY_CODE and status == 429:
        return wait(retry_after if retry_after is not None else 30, lang)
    return say(BY_CODE.get(code) or BY_STATUS.get(status, A_MISTAKE), lang)


def places(error: dict[str, str]) -> dict[str, str]:
    """What is filled into the message of a bad field."""
    return {name: value for name, value in error.items() if name not in ("field", "code", "message")}


def wait(seconds: int, lang: str) -> str:
    """How long, as people say it."""
    for words, one, most in WAITS:
        if seconds < most:
            return say(words, lang, n=math.ceil(seconds / one))
    return say(HOURS, lang, n=math.ceil(seconds / 3600))
