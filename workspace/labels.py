"""The words for codes: what a kind, a state, a duty or a cause is called on the screen."""

from __future__ import annotations

from backend.roles import appointments, reasons, staff_rows, unit_rows
from backend.words import mark as _

KINDS = {
    "register": _("Đăng ký vai trò"),
    "amend": _("Điều chỉnh vai trò"),
    "transfer": _("Chuyển công tác"),
    "concurrent": _("Kiêm nhiệm"),
    "end": _("Kết thúc vai trò"),
    "suspension": _("Tạm đình chỉ"),
    "separation": _("Cho nghỉ việc"),
}

# what a manager does at once: what it is called, and what follows
ACTS = {
    "end": (
        _("Kết thúc vai trò"),
        _(
            "Vai trò kết thúc ngay. Các hệ thống được báo thu quyền sau mười giây; trước lúc đó bạn có thể hoàn tác."
        ),
    ),
    "suspension": (
        _("Tạm đình chỉ"),
        _(
            "Mọi vai trò của người này tạm ngưng ngay, mọi phiên đăng nhập kết thúc và các hệ thống được báo liền;"
            " không hoàn tác được. Vai trò có hiệu lực trở lại khi bạn chọn “Cho trở lại”."
        ),
    ),
    "separation": (
        _("Cho nghỉ việc"),
        _(
            "Nghỉ hưu, thôi việc hoặc từ trần: mọi vai trò, yêu cầu đang chờ và phiên đăng nhập của người này kết thúc"
            " cùng lúc, ngay hoặc từ ngày hiệu lực; không hoàn tác được."
        ),
    ),
}

STATUSES = {
    "pending": _("Chờ duyệt"),
    "returned": _("Đã trả lại để bổ sung"),
    "approved": _("Đã được phê duyệt"),
    "rejected": _("Đã bị từ chối"),
    "withdrawn": _("Đã rút"),
    "expired": _("Đã quá hạn"),
}

DUTIES = {
    "approve": _("Đơn vị phê duyệt"),
    "release": _("Đơn vị đang công tác đồng ý cho chuyển"),
    "receive": _("Đơn vị mới tiếp nhận"),
    "confirm": _("Người thứ hai phê duyệt"),
}

# the same where a movement has another word for it: beside a concurrent post nobody moves
DUTIES_OF = {"concurrent": {"release": _("Đơn vị đang công tác đồng ý cho kiêm nhiệm")}}

# where somebody goes; beside a concurrent post nobody does
NEW_UNITS = {"transfer": _("Đơn vị đến"), "concurrent": _("Đơn vị kiêm nhiệm")}

# why this manager sees the request
WHY_YOU = {
    "approve": _("Bạn phụ trách {unit}, nơi vai trò này có hiệu lực."),
    "release": _("Bạn phụ trách {unit}, nơi người này đang công tác."),
    "receive": _("Bạn phụ trách {unit}, nơi người này sẽ chuyển đến."),
    "confirm": _("Bạn phụ trách {unit}; việc này cần người thứ hai phê duyệt."),
}

DECISIONS = {
    "approved": _("Đã phê duyệt"),
    "rejected": _("Đã từ chối"),
    "returned": _("Đã trả lại để bổ sung"),
}

reason = reasons.spoken  # why somebody said no

# what wants a look before a yes: on the request's page, and in a row
RISKS = {
    "unlisted": _("Danh bạ cán bộ không có số định danh của người này."),
    "left": _("Danh bạ cán bộ ghi người này đã thôi công tác."),
    "name": _("Họ tên ở danh bạ khác họ tên của tài khoản."),
    "birth_date": _("Ngày sinh ở danh bạ khác ngày sinh của tài khoản."),
    "unit": _("Danh bạ ghi người này ở đơn vị khác."),
    "letters": _("Họ tên có chữ cái của bảng chữ khác, chỉ trông giống chữ thường dùng."),
    "leading": _("Đây là chức vụ lãnh đạo, quản lý."),
}
RISK_CHIPS = {
    "unlisted": _("Không có trong danh bạ"),
    "left": _("Đã thôi công tác"),
    "name": _("Khác họ tên"),
    "birth_date": _("Khác ngày sinh"),
    "unit": _("Khác đơn vị"),
    "letters": _("Chữ cái lạ trong tên"),
    "leading": _("Lãnh đạo"),
}

# what became of many requests at once
BULK = {
    "approved": _("Đã phê duyệt {n} yêu cầu"),
    "rejected": _("Đã từ chối {n} yêu cầu"),
    "undone": _("Đã hoàn tác {n} yêu cầu"),
}

ROLE_STATES = {
    "active": _("Đang có hiệu lực"),
    "suspended": _("Tạm ngưng"),
    "scheduled": _("Chờ đến ngày hiệu lực"),
    "ended": _("Đã kết thúc"),
    "undone": _("Đã hoàn tác"),
}

# where the staff directory and a role are not of one mind
DIFFERENCES = {
    "elsewhere": _("Danh bạ ghi khác"),
    "left": _("Đã rời danh bạ"),
    "no_role": _("Có trong danh bạ, chưa có vai trò"),
}

# what a unit's history says of it
UNIT_CHANGES = {
    "named": _("Đã đổi tên"),
    "placed": _("Chuyển về trực thuộc"),
    "ended": _("Kết thúc hoạt động, bàn giao cho"),
    "revived": _("Hoạt động trở lại"),
}

SYNC_STATES = {
    "held": _("Chờ gửi"),
    "pending": _("Đang chờ"),
    "delivering": _("Đang gửi"),
    "synced": _("Đã đồng bộ"),
    "retrying": _("Lỗi, đang chờ gửi lại"),
    "dead": _("Lỗi, cần xử lý"),
    "drift": _("Lệch dữ liệu"),
    "paused": _("Hệ thống tạm dừng"),
    "skipped": _("Đã bỏ qua"),
}

# how a state looks: never by colour alone, each has a sign of its own
SYNC_SIGNS = {
    "held": "◷",
    "pending": "○",
    "delivering": "◔",
    "synced": "✓",
    "retrying": "↻",
    "dead": "✕",
    "drift": "≠",
    "paused": "‖",
    "skipped": "–",
}

# what a bad state is made of, in three groups: the contract's words for the systems page
TONES = {
    "held": "wait",
    "pending": "wait",
    "delivering": "wait",
    "synced": "good",
    "retrying": "wait",
    "dead": "bad",
    "drift": "bad",
    "paused": "wait",
    "skipped": "mute",
    "approved": "good",
    "returned": "wait",
    "rejected": "bad",
    "withdrawn": "mute",
    "expired": "mute",
    "active": "good",
    "scheduled": "wait",
    "suspended": "wait",
    "ended": "mute",
    "undone": "mute",
    "open": "wait",
    "answered": "good",
    "closed": "mute",
    "running": "wait",
    "done": "good",
    "reversing": "wait",
    "reversed": "mute",
}

# a whole system at a glance (rule 820)
SYSTEM_STATES = {
    "synced": _("Đã đồng bộ"),
    "pending": _("Đang chờ"),
    "dead": _("Lỗi"),
}

# by the scale that the number `n` is on (rule 107); an e-ID's own map may count beyond two
LEVELS = {
    "vneid": _("Định danh điện tử mức độ {n}"),
    "ial": _("Mức xác minh {n}"),
}

CASE_STATES = {
    "open": _("Chờ trả lời"),
    "answered": _("Đã trả lời"),
    "closed": _("Đã đóng"),
}

CASE_ORIGINS = {
    "app": _("Ứng dụng"),
    "staff": _("Cán bộ hỗ trợ mở"),
    "mail": _("Thư điện tử"),
    "notice": _("Phản hồi thông báo"),
    "takeover": _("Báo đăng nhập không chính chủ"),
}

CASE_AUTHORS = {
    "person": _("Người yêu cầu"),
    "desk": _("Đầu mối hỗ trợ"),
}

# what stands in the way of making two accounts one
JOIN_CONFLICTS = {
    "home_role": _("Cả hai tài khoản đều có hoặc chờ vai trò chính; cho một vai trò kết thúc trước."),
    "role_request": _("Cả hai tài khoản đều có yêu cầu về vai trò đang mở; rút một yêu cầu trước."),
    "undo": _("Một quyết định vừa được đưa ra, còn hoàn tác được; chờ ít giây rồi thử lại."),
    "recently_changed": _("Số điện thoại hoặc mật khẩu vừa đổi trong vòng một ngày; hãy chờ hết một ngày."),
    "frozen": _("Một trong hai tài khoản đang bị tạm khóa vì có báo cáo đăng nhập không chính chủ."),
    "two_identities": _(
        "VNeID đã xác thực hai tài khoản này là hai định danh khác nhau; chỉ chủ tài khoản tự chứng minh cả hai được."
    ),
}

DOCUMENTS = {  # papers on which a clerk reads a name
    "cccd": _("Thẻ CCCD hoặc căn cước"),
    "cmnd": _("CMND"),
    "passport": _("Hộ chiếu"),
    "birth_certificate": _("Giấy khai sinh"),
    "civil_status": _("Trích lục hộ tịch"),
}

# what a clerk has just done for somebody
HELPED = {
    "thaw": _("Đã mở khóa; người ấy được báo trong ứng dụng và bằng tin nhắn."),
    "code": _("Mã đang chờ được gửi lại tới số điện thoại của người ấy."),
    "notices": _("Đã gửi lại thông báo chưa đọc tới điện thoại của người ấy."),
}

THEMES = {
    "auto": _("Giao diện theo máy"),
    "light": _("Giao diện sáng"),
    "dark": _("Giao diện tối"),
}

# reorganisations (rules 640, 641)
REORGANISING = {
    "merge": _("Sáp nhập"),
    "split": _("Chia tách"),
    "rename": _("Đổi tên"),
    "move": _("Chuyển cấp trên"),
    "end": _("Kết thúc hoạt động"),
}
RUNS = {
    "running": _("Đang chạy"),
    "done": _("Đã hoàn tất"),
    "reversing": _("Đang hoàn nguyên"),
    "reversed": _("Đã hoàn nguyên"),
}
TREE_CHANGES = {
    "ends": _("kết thúc"),
    "named": _("đổi tên"),
    "placed": _("đổi cấp trên"),
}
STALE = {
    "run": _("đang có một đợt sắp xếp khác chưa xong"),
    "unit": _("tên, cấp trên hoặc ngày kết thúc của đơn vị"),
    "roles": _("vai trò của người trong đơn vị"),
    "managers": _("người được giao phê duyệt của đơn vị"),
}

CONNECTORS = {
    "scim": "SCIM 2.0",
    "ldap": "LDAP",
    "webhook": "Webhook",
}  # what the kinds of systems are called

# the operator's page (rule 641)
IMPORTS = {
    "units": _("Đơn vị (tệp)"),
    "staff": _("Danh bạ cán bộ (tệp)"),
    "managers": _("Người phụ trách (tệp)"),
}
IMPORT_COLUMNS = {"units": unit_rows.COLUMNS, "staff": staff_rows.COLUMNS, "managers": appointments.COLUMNS}
OPERATED = {
    "appointed": _("Đã giao phụ trách."),
    "dismissed": _("Đã thôi giao phụ trách."),
    **dict.fromkeys(IMPORTS, _("Đã nhập tệp.")),
}


def duty(kind: str, code: str) -> str:
    """What a step is called in a request of this kind."""
    return DUTIES_OF.get(kind, {}).get(code) or DUTIES[code]
