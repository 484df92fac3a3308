"""What the details of a notice may say by a code, in words (telling.py)."""

from __future__ import annotations

from backend.words import mark as _

LISTS = ("ended", "kept")  # places whose details are several codes or numbers, joined by |

# what details may say by a code
CODES = {
    "phone": _("số điện thoại"),
    "certificate": _("chứng thư số"),
    "vneid": _("VNeID"),
    "post_office": _("tài khoản Bưu điện"),
    "password": _("mật khẩu"),
    "nothing": _("không có"),
    "login": _("đăng nhập"),
    "recovery": _("lấy lại mật khẩu"),
    "phone_change": _("đổi số điện thoại"),
    "method": _("thêm số điện thoại"),
    "join": _("gộp tài khoản"),
    "approved": _("đã được duyệt"),
    "returned": _("được trả lại để bổ sung"),
    "rejected": _("không được duyệt"),
    "begun": _("bắt đầu có hiệu lực"),
    "reorganised": _("tiếp tục tại đơn vị này theo quyết định sắp xếp đơn vị"),
    "changed": _("được điều chỉnh"),
    "suspended": _("tạm ngưng"),
    "resumed": _("có hiệu lực trở lại"),
    "ended": _("đã kết thúc"),
    "planned": _("đã ấn định ngày kết thúc"),
    "transfer": _("đề nghị chuyển công tác"),
    "concurrent": _("đề nghị kiêm nhiệm"),
    "amend": _("đề nghị điều chỉnh vai trò"),
    "cancelled": _("thay đổi đã được duyệt bị hủy trước ngày hiệu lực"),
}
