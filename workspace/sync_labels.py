"""Words for deliveries and systems: why one failed and whose turn it is, and what a system does not do."""

from __future__ import annotations

from backend.words import mark as _

# why a delivery failed, and whose turn it is
CAUSES = {
    "unreachable": _("Hệ thống không phản hồi; sẽ tự gửi lại"),
    "address_refused": _("Địa chỉ của hệ thống không được phép gọi tới; báo quản trị hệ thống"),
    "redirected": _("Địa chỉ của hệ thống đã chuyển nơi khác; báo quản trị hệ thống"),
    "credentials_refused": _("Hệ thống từ chối mã kết nối; báo quản trị hệ thống"),
    "gone": _("Hệ thống báo không nhận tin nữa nên đã bị ngắt; báo quản trị hệ thống"),
    "refused": _("Hệ thống không nhận tin ở địa chỉ này; báo quản trị hệ thống"),
    "connector_missing": _("Chưa cài bộ kết nối cho hệ thống này; báo quản trị hệ thống"),
    "patch_unsupported": _("Hệ thống không hỗ trợ cách cập nhật cần thiết; báo đơn vị quản lý hệ thống"),
    "reply_too_large": _("Hệ thống trả lời quá dài; báo đơn vị quản lý hệ thống"),
    "unreadable_reply": _("Không đọc được trả lời của hệ thống; báo đơn vị quản lý hệ thống"),
    "unreadable_user": _("Hệ thống trả lời thiếu dữ liệu về người này; sẽ tự gửi lại"),
    "write_unsupported": _("Hệ thống không cho tạo hoặc sửa người dùng; báo đơn vị quản lý hệ thống"),
    "endpoint_missing": _("Ở địa chỉ này không có giao diện SCIM; báo quản trị hệ thống"),
    "active_not_kept": _(
        "Hệ thống nhận lệnh khóa, mở người dùng nhưng không thực hiện; báo đơn vị quản lý hệ thống"
    ),
    "membership_not_kept": _(
        "Hệ thống nhận thay đổi nhóm nhưng không thực hiện; báo đơn vị quản lý hệ thống"
    ),
    "group_not_kept": _("Hệ thống không giữ mã của nhóm; báo đơn vị quản lý hệ thống"),
    "belongs_to_somebody": _(
        "Hệ thống đã có người dùng mang địa chỉ này, danh bạ không ghi địa chỉ cho người được duyệt; kiểm tra danh bạ"
    ),
    "changed_meanwhile": _("Dữ liệu ở hệ thống vừa bị sửa; sẽ tự gửi lại"),
    "twins": _("Hệ thống có hai hồ sơ của cùng một người; báo đơn vị quản lý hệ thống gộp lại"),
    "user_name_taken": _("Tên đăng nhập ở hệ thống đã thuộc về người khác"),
    "group_name_taken": _("Tên nhóm ở hệ thống đã được dùng cho việc khác"),
    "no_such_place": _("Thư mục chưa có nơi chứa người dùng hoặc đơn vị; báo quản trị hệ thống"),
    "referral": _("Hồ sơ nằm ở một thư mục khác; báo đơn vị quản lý hệ thống"),
    "size_limit": _("Thư mục giới hạn số kết quả quá thấp; báo đơn vị quản lý hệ thống"),
    "internal_error": _("Lỗi bên trong; sẽ tự gửi lại"),
    "status_429": _("Hệ thống đang quá tải; sẽ tự gửi lại"),
    "status_503": _("Hệ thống đang tạm dừng; sẽ tự gửi lại"),
}


# what a system has turned out not to do; none of it is a fault of a person
LEARNT = {
    "no_patch": _("Không sửa từng phần được, nên gửi lại toàn bộ hồ sơ"),
    "no_filters": _("Không tìm theo điều kiện được, nên đọc toàn bộ danh sách"),
    "no_members_filter": _("Không tìm nhóm theo thành viên được, nên đọc từng nhóm"),
    "no_groups": _("Không có nhóm: chỉ giữ người dùng"),
    "no_renaming": _("Không đổi được tên đăng nhập đã cấp"),
    "hides_inactive": _("Ẩn người đã khóa; người trở lại được tạo mới nếu không mở lại được"),
    "spells_names": _("Đổi chữ hoa, chữ thường trong tên đăng nhập"),
    "no_read_back": _("Chỉ nhận tin, không hỏi lại được: đã nhận là đã đồng bộ"),
    "loses:full_name": _("Không giữ họ tên"),
    "loses:formatted_name": _("Không giữ họ tên đầy đủ"),
    "loses:title": _("Không giữ chức vụ"),
    "loses:employee_number": _("Không giữ mã cán bộ"),
    "loses:organization": _("Không giữ tên cơ quan"),
    "loses:department": _("Không giữ tên đơn vị"),
    "loses:external_id": _("Không giữ mã tài khoản: người dùng chỉ được nhận ra theo mã của chính hệ thống"),
    "loses:email": _("Không giữ thư công vụ"),
    "loses:unit_code": _("Không giữ mã đơn vị"),
}


# what a button on a system's page has done
DONE = {
    "paused": _("Đã tạm dừng: quyết định mới được giữ lại chờ gửi."),
    "resumed": _("Đã chạy tiếp."),
    "replayed": _("Đã yêu cầu gửi lại những gì chưa gửi được."),
    "skipped": _("Đã bỏ qua mục này."),
    "asked": _("Đã yêu cầu đối chiếu; kết quả hiện ở đây sau ít phút."),
}


def cause(code: str) -> str:
    """A delivery's error in words; details that only operators understand stay in the log."""
    if code in CAUSES:
        return CAUSES[code]
    if code.startswith("rejected"):
        return _("Hệ thống không nhận dữ liệu này; báo đơn vị quản lý hệ thống")
    return _("Hệ thống gặp lỗi; sẽ tự gửi lại")
