"""The words for codes: what a kind, a state, a duty or a cause is called on the screen."""

from __future__ import annotations

from backend.words import mark as _

KINDS = {
    "register": _("Đăng ký vai trò"),
    "amend": _("Điều chỉnh vai trò"),
    "transfer": _("Chuyển đơn vị công tác"),
    "end": _("Thôi vai trò"),
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
    "approve": _("Xem xét vai trò"),
    "release": _("Đơn vị cũ cho chuyển đi"),
    "receive": _("Đơn vị mới tiếp nhận"),
}

# why this manager sees the request
WHY_YOU = {
    "approve": _("Bạn phụ trách {unit}, nơi vai trò này có hiệu lực."),
    "release": _("Bạn phụ trách {unit}, nơi người này đang công tác."),
    "receive": _("Bạn phụ trách {unit}, nơi người này sẽ chuyển đến."),
}

DECISIONS = {
    "approved": _("Đã phê duyệt"),
    "rejected": _("Đã từ chối"),
    "returned": _("Đã trả lại để bổ sung"),
}

ROLE_STATES = {
    "active": _("Đang có hiệu lực"),
    "suspended": _("Tạm ngưng"),
    "scheduled": _("Chờ đến ngày hiệu lực"),
    "ended": _("Đã kết thúc"),
    "undone": _("Đã hoàn tác"),
}

SYNC_STATES = {
    "held": _("Chờ gửi, còn hoàn tác được"),
    "pending": _("Đang chờ"),
    "delivering": _("Đang gửi"),
    "synced": _("Đã đồng bộ"),
    "retrying": _("Lỗi, đang chờ gửi lại"),
    "dead": _("Lỗi, cần xử lý"),
    "drift": _("Lệch dữ liệu"),
    "paused": _("Hệ thống tạm dừng"),
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
}

FACTS = {
    "login.started": _("Bắt đầu đăng nhập"),
    "login.refused": _("Đăng nhập không thành công"),
    "account.opened": _("Mở tài khoản"),
    "accounts.imported": _("Nhập danh sách tài khoản"),
    "account.owner_came": _("Chủ tài khoản được xác thực lần đầu, phương thức cũ bị kết thúc hoặc tạm khóa"),
    "account.join_proposed": _("Cán bộ đề nghị gộp hai tài khoản của cùng một người"),
    "account.join_confirmed": _("Cán bộ thứ hai xác nhận gộp hai tài khoản"),
    "account.join_dropped": _("Đề nghị gộp hai tài khoản bị hủy"),
    "account.joined": _("Gộp một tài khoản khác của cùng một người"),
    "account.absorbed": _("Tài khoản được gộp vào tài khoản khác và đóng lại"),
    "account.identity_linked": _("Liên kết tài khoản định danh điện tử"),
    "account.identifier_changed": _("Số định danh cá nhân thay đổi"),
    "code.sent": _("Gửi mã xác thực"),
    "code.wrong": _("Nhập sai mã xác thực"),
    "phone.bound": _("Liên kết số điện thoại"),
    "code.withheld": _("Mã xác thực không được gửi đi"),
    "phone.changed": _("Đổi số điện thoại nhận OTP"),
    "phone.change_refused": _("Chưa đổi được số điện thoại nhận OTP vì thuê bao không khớp"),
    "password.set": _("Đặt mật khẩu"),
    "password.official_mail": _("Đặt lại mật khẩu thư công vụ"),
    "recovery.started": _("Bắt đầu lấy lại mật khẩu"),
    "recovery.refused": _("Không cho lấy lại mật khẩu bằng số điện thoại"),
    "registration.started": _("Bắt đầu đăng ký tài khoản"),
    "registration.refused": _("Đăng ký không thành công"),
    "session.stepped_up": _("Xác thực lại bằng VNeID"),
    "session.opened": _("Đăng nhập"),
    "session.replaced": _("Đăng nhập trên thiết bị khác"),
    "session.ended": _("Kết thúc phiên đăng nhập"),
    "session.refresh_reused": _("Mã làm mới bị dùng lại, phiên đã đóng"),
    "account.takeover_reported": _("Báo đăng nhập không chính chủ"),
    "account.tries_spent": _("Mã xác thực hoặc mật khẩu tạm dừng vì nhập sai nhiều lần"),
    "account.thawed": _("Mở lại đăng nhập sau khi xác minh"),
    "account.attribute_edited": _("Sửa thông tin định danh"),
    "account.method_added": _("Thêm phương thức đăng nhập"),
    "certificate.used": _("Đăng nhập bằng chứng thư số"),
    "certificate.enrolled": _("Ghi nhận chứng thư số cho tài khoản"),
    "certificate.refused": _("Chứng thư số không được chấp nhận"),
    "account.method_removed": _("Gỡ phương thức đăng nhập"),
    "account.method_confirmed": _("Xác nhận phương thức đăng nhập được giữ lại"),
    "account.exported": _("Xuất dữ liệu cá nhân"),
    "account.erased": _("Xóa tài khoản và dữ liệu cá nhân"),
    "consent.given": _("Đồng ý cho xử lý dữ liệu"),
    "consent.withdrawn": _("Rút lại sự đồng ý"),
    "units.imported": _("Nhập danh sách đơn vị"),
    "unit.ended": _("Kết thúc đơn vị"),
    "catalogue.imported": _("Đưa danh mục chức vụ, quyền mới vào áp dụng"),
    "staff.imported": _("Nhập danh bạ cán bộ"),
    "manager.appointed": _("Giao quyền duyệt cho người phụ trách"),
    "manager.kept": _("Giữ quyền duyệt sau khi thôi vai trò ở đơn vị"),
    "manager.dismissed": _("Thu quyền duyệt của người phụ trách"),
    "system.connected": _("Kết nối hệ thống"),
    "system.disabled": _("Ngừng kết nối hệ thống"),
    "system.secret_rotated": _("Đổi mã ký tin gửi tới hệ thống"),
    "role.requested": _("Gửi yêu cầu"),
    "role.resubmitted": _("Gửi lại yêu cầu sau khi bổ sung"),
    "role.withdrawn": _("Rút yêu cầu"),
    "role.step_decided": _("Một đơn vị quyết định"),
    "role.request_decided": _("Yêu cầu có kết quả"),
    "role.decision_undone": _("Hoàn tác quyết định"),
    "roles.filled": _("Giao vai trò theo danh sách, căn cứ quyết định"),
    "role.begun": _("Vai trò bắt đầu có hiệu lực"),
    "role.scheduled": _("Vai trò được hẹn ngày hiệu lực"),
    "role.changed": _("Vai trò được điều chỉnh"),
    "role.ended": _("Vai trò kết thúc"),
    "sync.delivered": _("Hệ thống xác nhận đã cập nhật"),
    "sync.parked": _("Gửi không thành công, cần xử lý"),
    "sync.replayed": _("Yêu cầu gửi lại"),
    "keys.rotated": _("Đổi khóa mã hóa"),
    "support.desk_added": _("Thêm đầu mối hỗ trợ"),
    "support.desk_removed": _("Ngừng đầu mối hỗ trợ"),
    "support.staff_added": _("Giao việc ở đầu mối hỗ trợ"),
    "support.staff_removed": _("Thôi giao việc ở đầu mối hỗ trợ"),
    "support.case_opened": _("Mở yêu cầu hỗ trợ"),
    "support.case_continued": _("Bổ sung yêu cầu hỗ trợ"),
    "support.case_answered": _("Trả lời yêu cầu hỗ trợ"),
    "support.case_closed": _("Đóng yêu cầu hỗ trợ"),
    "support.person_looked_up": _("Tra cứu một số định danh tại đầu mối hỗ trợ"),
    "notice.published": _("Đăng thông báo chung"),
    "notice.denied": _("Phản hồi “Không phải tôi” với một thông báo"),
    "access.refused": _("Thao tác bị từ chối vì không đủ quyền"),
}

FACT_GROUPS = {
    "role": _("Yêu cầu và vai trò"),
    "sync": _("Cập nhật ở các hệ thống"),
    "access": _("Thao tác bị từ chối"),
    "manager": _("Quyền duyệt của người phụ trách"),
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

THEMES = {
    "auto": _("Giao diện theo máy"),
    "light": _("Giao diện sáng"),
    "dark": _("Giao diện tối"),
}
