"""What is wrong with a file or a row, and what to do about it, in words for whoever made the file in an office program.

The one vocabulary of every import: a reason that is not here cannot be given (`rows.RowError`). What a row says of
people and units is here as well as what the reader says of cells: whoever mends a file reads them side by side.
"""

from __future__ import annotations

import msgspec

from backend.words import ENGLISH, VIETNAMESE, say
from backend.words import mark as _

AS_TEXT = _("chọn cột, đặt định dạng Văn bản (Text) rồi nhập lại các ô này")
AS_CSV = _("mở tệp bằng phần mềm bảng tính rồi lưu lại dạng CSV UTF-8 (hoặc .xlsx)")
AS_XLSX = _("mở tệp bằng phần mềm bảng tính rồi lưu lại dạng .xlsx hoặc CSV UTF-8")
AS_UNICODE = _("chuyển tệp sang phông chữ Unicode rồi lưu lại dạng CSV UTF-8")
UNMERGE = _("bỏ gộp ô (Unmerge) rồi điền giá trị vào từng dòng")
COMPUTE = _("mở tệp bằng phần mềm bảng tính, chờ tính xong rồi lưu lại, hoặc dán lại dưới dạng giá trị")
HEADER = _("sửa dòng tiêu đề cho đúng tên các cột")
SMALLER = _("chia thành nhiều tệp nhỏ hơn, bỏ các trang và định dạng thừa")
DAY = _("ghi ngày/tháng/năm, ví dụ 31/12/1990; nếu chỉ biết năm thì ghi năm, ví dụ 1950")
FILL = _("điền giá trị vào ô")
TYPE_AGAIN = _("gõ lại ô này")
CHECK_CODE = _("sửa mã trong ô, hoặc nhập đơn vị ấy trước")
OTHER_UNIT = _("ghi mã của đơn vị đang hoạt động")
ONE_CODE = _("dùng đúng mã đã có, hoặc đặt mã khác hẳn")
ONE_LINE = _("chỉ giữ lại một dòng")
ONE_OWNER = _("kiểm tra địa chỉ, mỗi địa chỉ chỉ của một người")
IN_LIST = _("ghi một trong các mã ấy")
COMPARE = _("đối chiếu họ tên, ngày sinh và số định danh với giấy tờ")

REASONS: dict[str, tuple[str, str]] = {
    "no_such_file": (_("Không tìm thấy tệp"), _("kiểm tra lại tên và đường dẫn của tệp")),
    "file_empty": (_("Tệp không có nội dung"), _("chọn tệp có dòng tiêu đề và dữ liệu ở trang đầu")),
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
    "not_mended": (_("Ô vẫn như khi bị từ chối"), _("sửa ô này; nếu ô đã đúng thì xóa lý do ở cột reason")),
    "unknown_action": (_("Không có hành động này; đang có: {known}"), IN_LIST),
    "not_for_action": (_("Ô này không dùng cho hành động {action}"), _("để trống ô này")),
    "target_itself": (_("Đơn vị không thể nhận chính mình"), CHECK_CODE),
    "target_ends": (_("Đơn vị này cũng kết thúc theo dòng {first} của tệp"), OTHER_UNIT),
    "name_differs": (_("Tên mới khác với dòng {first}"), _("chỉ ghi một tên mới cho mỗi đơn vị")),
    "split_forgets": (
        _("Còn {count} người của đơn vị chưa được phân về đâu ({who})"),
        _("thêm những người ấy vào tệp người (--people)"),
    ),
    "not_in_split": (
        _("Người này không thuộc đơn vị được chia tách"),
        _("xóa dòng này, hoặc sửa số định danh"),
    ),
    "not_a_part": (_("Đơn vị của người này được chia thành: {known}"), IN_LIST),
    "person_twice": (_("Người này đã có ở một dòng trên"), ONE_LINE),
    "required": (_("Chưa có giá trị"), FILL),
    "too_long": (_("Nội dung quá dài"), _("viết ngắn lại")),
    "bad_characters": (_("Có ký tự không được phép"), TYPE_AGAIN),
    "bad_date": (_("Ngày chưa đúng"), DAY),
    "bad_day": (_("Ngày chưa đúng"), _("ghi đủ ngày/tháng/năm, ví dụ 05/03/2027")),
    "bad_email": (
        _("Địa chỉ thư điện tử chưa đúng"),
        _("ghi như ten@donvi.gov.vn, không dấu, không khoảng trắng"),
    ),
    "bad_national_id": (_("Số định danh cá nhân gồm 12 chữ số"), AS_TEXT),
    "bad_unit_code": (_("Mã đơn vị chỉ gồm chữ, số và các dấu . / - _"), TYPE_AGAIN),
    "bad_agency_code": (
        _("Không đúng cách viết mã định danh cơ quan"),
        _("ghi như H57.03 hoặc 000.00.03.H57"),
    ),
    "bad_phone": (_("Không phải số điện thoại"), _("ghi các chữ số, ví dụ 0234 382 2678, hoặc để trống")),
    "bad_level": (_("Mức xác thực là 1, 2 hoặc 3"), _("ghi 1, 2, 3 hoặc để trống")),
    "unknown_subject_type": (_("Không có đối tượng này; đang có: {known}"), IN_LIST),
    "unknown_position": (_("Không có chức vụ này; đang có: {known}"), IN_LIST),
    "position_misfit": (
        _("Không phải chức vụ của {subject_type}"),
        _("ghi chức vụ thuộc đối tượng ấy, hoặc sửa đối tượng"),
    ),
    "post_closed": (
        _("Không giao thêm cho ai nữa: danh mục đã khóa mã này"),
        _("ghi mã khác còn nhận vai trò mới"),
    ),
    "comes_twice": (_("Xuất hiện hai lần, lần đầu ở dòng {first}"), ONE_LINE),
    "comes_twice_above": (_("Đã xuất hiện ở một dòng bên trên"), ONE_LINE),
    "case_twin_above": (_("Chỉ khác {other} ở dòng {first} về chữ hoa, chữ thường"), ONE_CODE),
    "case_twin": (_("Đã có {other}, chỉ khác về chữ hoa, chữ thường"), ONE_CODE),
    "no_such_unit": (_("Không có đơn vị mang mã này"), CHECK_CODE),
    "no_such_unit_but": (_("Không có đơn vị mang mã này; có {meant}"), CHECK_CODE),
    "no_new_root": (_("Không đặt được đơn vị gốc từ trang này"), _("ghi mã đơn vị cấp trên")),
    "person_elsewhere": (
        _("Danh bạ đang ghi người này ở đơn vị ngoài phạm vi bạn vận hành"),
        _("xóa dòng này, hoặc nhờ người vận hành đơn vị ấy"),
    ),
    "yourself": (_("Không tự giao quyền phụ trách cho chính mình"), _("xóa dòng này")),
    "unit_over": (_("Đơn vị đã kết thúc ngày {on}"), _("bỏ dòng này, hoặc đặt mã mới cho đơn vị mới")),
    "unit_reorganised": (
        _("Dòng này chuyển một đơn vị đang được sắp xếp lại"),
        _("chờ đợt sắp xếp ấy hoàn tất rồi nhập lại"),
    ),
    "parent_over": (_("Đơn vị cấp trên ấy đã kết thúc"), OTHER_UNIT),
    "parent_blank": (
        _("Ô trống, mà đơn vị đang có đơn vị cấp trên"),
        _("ghi mã đơn vị cấp trên, ghi - nếu là đơn vị gốc, hoặc bỏ cả cột"),
    ),
    "parent_circle": (
        _("Đơn vị sẽ là cấp trên của chính nó, hoặc cây quá sâu"),
        _("sửa mã đơn vị cấp trên"),
    ),
    "required_for_unit": (_("Đơn vị mới cần có giá trị này"), FILL),
    "required_for_person": (_("Người mới cần có giá trị này"), FILL),
    "address_taken": (_("Địa chỉ đang là của người khác"), ONE_OWNER),
    "address_in_role": (_("Địa chỉ đang thuộc vai trò của người khác"), ONE_OWNER),
    "complete_needs_good": (
        _("Còn dòng sai thì chưa thể biết ai đã nghỉ"),
        _("sửa hết các dòng sai trước khi dùng --complete"),
    ),
    "account_differs": (_("Đã có tài khoản với họ tên hoặc ngày sinh khác"), COMPARE),
    "account_unproved": (
        _("Đã có tài khoản nhưng chưa ai xác nhận"),
        _("chủ tài khoản đăng nhập bằng VNeID trước"),
    ),
    "account_shut": (
        _("Tài khoản của người này đã đóng"),
        _("bỏ dòng này, hoặc liên hệ bộ phận hỗ trợ tài khoản"),
    ),
    "over_before_first_day": (
        _("Ngày cuối trước ngày đầu, hoặc đã qua"),
        _("sửa ngày, hoặc để trống nếu không có ngày cuối"),
    ),
}

CATALOGUE_KEY = _("sửa khóa ấy trong tệp")
REASONS |= {  # of a catalogue's file
    "not_toml": (
        _("Tệp không đúng dạng TOML ({said})"),
        _("sửa dòng ấy theo tệp của `ngomon catalogue export`"),
    ),
    "not_toml_utf8": (_("Tệp không phải UTF-8"), _("lưu lại tệp với bảng mã UTF-8")),
    "unknown_table": (_("Không có bảng hoặc khóa này; đang có: {known}"), _("sửa tên, hoặc bỏ đi")),
    "unknown_key": (_("Mục này không có khóa ấy; đang có: {known}"), _("sửa tên khóa, hoặc bỏ đi")),
    "key_missing": (_("Thiếu khóa này, dạng {example}"), _("thêm khóa vào mục")),
    "wrong_kind": (_("Giá trị phải có dạng {example}"), CATALOGUE_KEY),
    "out_of_range": (_("Giá trị phải từ {low} đến {high}"), CATALOGUE_KEY),
    "too_many": (_("Nhiều hơn {most} mục"), _("bỏ bớt")),
    "bad_code": (_("Mã gồm a–z, 0–9, _ và -, không quá {most} ký tự"), CATALOGUE_KEY),
    "bad_choice": (_("Giá trị phải là một trong: {known}"), CATALOGUE_KEY),
    "code_twice": (_("Bảng đã có mục mang mã này"), _("đổi mã, hoặc bỏ một trong hai mục")),
    "name_twice": (_("{name} xuất hiện hai lần"), _("giữ một, hoặc đổi tên")),
    "said_twice": (_("Điều này đã có một mục khác nói"), _("bỏ một trong hai mục")),
    "unknown_code": (_("Bảng {table} không có mã {code}"), _("thêm mục ấy vào bảng, hoặc sửa mã")),
    "no_new_movement": (
        _("Không thêm được biến động mới; đang có: {known}"),
        _("chỉnh một trong các mã ấy, hoặc bỏ mục này"),
    ),
    "table_empty": (_("Bảng {table} chưa có mục nào"), _("thêm ít nhất một mục")),
    "options_missing": (_("Trường kiểu select cần có options"), _("thêm các lựa chọn")),
    "options_unwanted": (_("Chỉ trường kiểu select mới có options"), _("bỏ options, hoặc ghi type = select")),
    "two_codes": (_("Cần đúng hai mã chức vụ khác nhau"), CATALOGUE_KEY),
    "kind_or_position": (_("Cần đúng một trong hai khóa kind, position"), _("ghi một khóa, bỏ khóa kia")),
}

NOTES: dict[str, str] = {  # what follows from a plan, and what wants a yes
    "new_roots": _("{count} đơn vị gốc mới: {codes}"),
    "told_anew": _("các hệ thống được báo lại về {count} người"),
    "has_left": _("đã nghỉ"),
    "has_open_request": _("dòng {line}, {who}: có yêu cầu đang chờ, người duyệt sẽ trả lời"),
    "has_home_elsewhere": _("dòng {line}, {who}: có vai trò chính ở {home}, không phải ở {unit}; giữ nguyên"),
    "read_as_cmnd": _("dòng {line}, {who}: chín chữ số, được hiểu là số CMND; nên thay bằng số CCCD"),
    "entry_closed": _("{entry}: tệp không có, đang được dùng nên được giữ và khóa từ sau {until}"),
    "entry_removed": _("{entry}: bỏ hẳn, chưa ai dùng"),
    "entry_gone": _("{entry}: tệp không có, nên không còn"),
    "order_of_entries": _("thứ tự các mục"),
    "system_told": _("hệ thống {system}: được báo lại về {count} người"),
    "system_told_less": _(
        "hệ thống {system}: được báo lại về {count} người, trong đó {losing} người mất quyền"
    ),
    "no_such_system": _("quyền {grant}: chưa có hệ thống nào tên {system}"),
    "undecided": _(
        "{count} yêu cầu đang chờ sẽ không còn ai duyệt: giao người phê duyệt cho đơn vị hoặc cấp trên trước"
    ),
}


class Note(msgspec.Struct, frozen=True):
    """One line of a plan in both languages; a page shows its reader's."""

    vi: str
    en: str

    def __str__(self) -> str:
        """For a terminal: Vietnamese first, English beside it."""
        return f"{self.vi} · {self.en}"


def noted(note: str, **values: object) -> Note:
    """One line of a plan."""
    return Note(*(say(NOTES[note], lang, **values) for lang in (VIETNAMESE, ENGLISH)))
