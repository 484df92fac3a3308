"""What the fields of forms are called, to say which one a mistake is about where there are several."""

from __future__ import annotations

from backend.words import mark as _

FIELDS = {
    "unit": _("Đơn vị"),
    "units": _("Đơn vị"),
    "position": _("Chức vụ"),
    "subject_type": _("Đối tượng"),
    "effective_on": _("Ngày hiệu lực"),
    "from": _("Từ ngày"),
    "to": _("Đến hết ngày"),
    "until": _("Đến hết ngày"),
    "kinds": _("Loại yêu cầu"),
    "keeps": _("Chức vụ kiêm nhiệm"),
    "reason": _("Lý do"),
    "keep_reason": _("Lý do giữ quyền phụ trách"),
    "decision_number": _("Số quyết định"),
    "fields.decision_number": _("Số quyết định"),
    "decision_date": _("Ngày quyết định"),
    "fields.decision_date": _("Ngày quyết định"),
    "fields.signed_by": _("Người ký"),
    "fields.reason": _("Lý do"),
    "person": _("Người liên quan"),
    "actor": _("Người thực hiện"),
    "national_id": _("Số định danh cá nhân"),
    "old_id_number": _("Số CMND"),
    "full_name": _("Họ và tên"),
    "document": _("Giấy tờ"),
    "document_number": _("Số giấy tờ"),
    "grounds": _("Căn cứ"),
    "subject": _("Tiêu đề"),
    "text": _("Nội dung"),
}
LENT_TO = _("Ủy quyền cho")  # the same name of a field that is no day
OF_AN_APPOINTMENT = FIELDS | {"person": _("Ai"), "unit": _("Mã đơn vị")}  # as the operator's form calls them
