"""What is wrong with a file, and what to do about it, in words for whoever made the file in an office program."""

from __future__ import annotations

from backend.imports.rows import RowError
from backend.words import ENGLISH, VIETNAMESE, say
from backend.words import mark as _

AS_TEXT = _("chọn cột, đặt định dạng Văn bản (Text) rồi nhập lại các ô này")
AS_CSV = _("mở tệp bằng phần mềm bảng tính rồi lưu lại dạng CSV UTF-8 (hoặc .xlsx)")
AS_XLSX = _("mở tệp bằng phần mềm bảng tính rồi lưu lại dạng .xlsx hoặc CSV UTF-8")
AS_UNICODE = _("chuyển tệp sang phông chữ Unicode rồi lưu lại dạng CSV UTF-8")
UNMERGE = _("bỏ gộp ô (Unmerge) rồi điền giá trị vào từng dòng")
COMPUTE = _("mở tệp bằng phần mềm bảng tính, chờ tính xong rồi lưu lại, hoặc dán lại dưới dạng giá trị")
HEADER = _("sửa dòng tiêu đề theo tệp mẫu")
SMALLER = _("chia thành nhiều tệp nhỏ hơn, bỏ các trang và định dạng thừa")
DAY = _("ghi ngày/tháng/năm, ví dụ 31/12/1990; nếu chỉ biết năm thì ghi năm, ví dụ 1950")
FILL = _("điền giá trị vào ô")
TYPE_AGAIN = _("gõ lại ô này")

REASONS: dict[str, tuple[str, str]] = {
    "no_such_file": (_("Không tìm thấy tệp"), ""),
    "file_empty": (_("Tệp không có nội dung"), ""),
    "file_too_large": (_("Tệp lớn hơn {most} MB"), SMALLER),
    "too_many_rows": (_("Tệp có hơn {most} dòng"), SMALLER),
    "workbook_too_large": (_("Bảng tính lớn quá mức cho phép"), SMALLER),
    "too_many_merged": (_("Bảng tính có hơn {most} ô gộp"), UNMERGE),
    "not_workbook": (_("Tệp không phải bảng tính đọc được, hoặc có mật khẩu"), AS_XLSX),
    "other_workbook": (_("Chưa đọc được bảng tính dạng {kind}"), AS_XLSX),
    "not_utf8": (_("Tệp không phải UTF-8, có vẻ là {looks_like}"), AS_CSV),
    "nul_characters": (_("Tệp có ký tự rỗng (NUL), có vẻ là UTF-16 không có dấu đầu tệp"), AS_CSV),
    "not_csv": (_("Dòng không đúng dạng CSV ({said})"), AS_CSV),
    "unknown_column": (_("Không có cột tên này"), HEADER),
    "column_missing": (_("Thiếu cột"), HEADER),
    "column_twice": (_("Cột xuất hiện hai lần"), HEADER),
    "cell_without_title": (_("Ô thứ {place} không có tên cột"), HEADER),
    "too_many_cells": (_("Dòng có {cells} ô, tiêu đề chỉ có {header}"), _("xóa ô thừa hoặc thêm tên cột")),
    "misread": (_("Chữ bị sai bảng mã {looks_like}, có lẽ là “{meant}”"), AS_UNICODE),
    "letters_lost": (_("Chữ đã bị mất dấu khi lưu (có “?” hoặc ký tự lạ)"), _("gõ lại, lưu dạng CSV UTF-8")),
    "error_cell": (_("Ô báo lỗi {shown}"), _("sửa công thức hoặc gõ giá trị vào ô")),
    "formula_not_computed": (_("Ô có công thức chưa được tính"), COMPUTE),
    "merged_cell": (_("Ô bị gộp với ô khác"), UNMERGE),
    "day_in_text": (_("Ô là ngày, cột này cần mã hoặc chữ"), AS_TEXT),
    "number_in_text": (_("Ô là số không phải số nguyên thường, cột này cần mã hoặc chữ"), AS_TEXT),
    "number_lost_zeros": (_("Ô là số {shown}, các số 0 ở đầu đã mất"), AS_TEXT),
    "broken_cell": (_("Không đọc được ô"), TYPE_AGAIN),
    "required": (_("Chưa có giá trị"), FILL),
    "too_long": (_("Nội dung quá dài"), ""),
    "bad_characters": (_("Có ký tự không được phép"), TYPE_AGAIN),
    "bad_date": (_("Ngày chưa đúng"), DAY),
    "bad_email": (_("Địa chỉ thư điện tử chưa đúng"), ""),
    "bad_national_id": (_("Số định danh cá nhân gồm 12 chữ số"), AS_TEXT),
}


def in_both(error: RowError) -> str:
    """For a screen that has no language: the code, then Vietnamese, then English."""
    if error.reason not in REASONS:
        return error.reason
    return f"{error.reason}: {told(error, VIETNAMESE)} · {told(error, ENGLISH)}"


def told(error: RowError, lang: str) -> str:
    """The reason and the remedy in one sentence; a phrase that is no code stands as it is."""
    if error.reason not in REASONS:
        return error.reason
    reason, remedy = REASONS[error.reason]
    spoken = say(reason, lang, **error.values)
    return f"{spoken}: {say(remedy, lang)}" if remedy else spoken
