"""One word for one thing on every screen: what was agreed on is said, and what it replaced nowhere any more."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from backend.accounts.codes import texts
from backend.words import english

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ("workspace", "demo", "backend", "mobile_api", "ngomon")
NOT_SAID = {"sources.md", "en.po"}
INSTEAD = {  # what stood there, and what stands there now
    "Chuyển đơn vị công tác": "Chuyển công tác",
    '"Chuyển đơn vị"': "Chuyển công tác",
    "Thôi vai trò": "Kết thúc vai trò",
    "Xem xét vai trò": "Đơn vị phê duyệt",
    '"Tạm dừng", "Suspended"': "Tạm ngưng",
    "Đã lên lịch": "Chờ đến ngày hiệu lực",
    '"Đang hiệu lực"': "Đang có hiệu lực",
    '"Đã duyệt"': "Đã được phê duyệt",
    '"Hết hạn"': "Đã quá hạn",
    "Chờ gửi, còn hoàn tác được": "Chờ gửi",
    "Sắp gửi": "Chờ gửi",
    '"Lệch"': "Lệch dữ liệu",
    "Các hệ thống sẽ được báo sau": "Người đề nghị sẽ được báo lúc {time}; trước lúc đó bạn có thể hoàn tác.",
    "Đã được quyết định lúc": "{name} đã phê duyệt lúc {time}",
    "Quyết định đã được ghi lại": "Bạn đã cho chuyển đi. Đang chờ {unit} tiếp nhận.",
    "yêu cầu trên trang này": "{n} yêu cầu đang chờ bạn",
    'h1>{{ _("Kết quả")': "Đã phê duyệt {n} yêu cầu",
    "Có trường chưa hợp lệ. Mã lỗi": "Hãy chọn ít nhất một yêu cầu.",
    "Hết việc": "Bạn đã xử lý hết yêu cầu",
    "Không còn yêu cầu": "Hôm nay: {approved} phê duyệt, {rejected} từ chối, {returned} trả lại.",
    "Không, quay lại": "Hủy",
    '"Về ai"': "Người liên quan",
    "Hệ thống xác nhận đã cập nhật": "{system} đã cập nhật",
    "Một đơn vị quyết định": "Quyết định của đơn vị",
    "Yêu cầu có kết quả": "Kết quả yêu cầu",
    "Hệ thống tự động": "Tự động",
    "báo quản trị tỉnh": "báo quản trị hệ thống",
    "người phụ trách đơn vị": "người được giao phê duyệt",
    "Gắn điện thoại": "Liên kết số điện thoại",
    "Nơi phê duyệt": "Không gian làm việc",
    "Hộp thư SMS": "Hộp tin",
    "CMT": "CMND",
    "Trở lại": "Quay lại",
    "Đơn vị cũ cho chuyển": "Đơn vị đang công tác đồng ý cho chuyển",
    "Ghi chú cho đơn vị kia": "Ghi chú gửi đơn vị tiếp nhận",
    "được hẹn ngày hiệu lực": "Đã ấn định ngày vai trò có hiệu lực",
    "do chúng tôi nghĩ ra": "giả định",
    "không rõ nơi": "không xác định địa điểm",
}
ALSO = (  # what was missing
    "Cần tài khoản định danh điện tử mức độ 2. Hãy nâng mức tại cơ quan Công an rồi thử lại",
    "Lý do trả lại: ",
    "Gửi lại",
    "Phê duyệt đã chọn",
    "Không có gì thay đổi ở các hệ thống.",
    "Mã tham chiếu:",
    "Báo nhầm lẫn",
    "Nội dung",
    "Người thực hiện",
    "đề nghị thủ trưởng đơn vị",
)
ENGLISH = {
    "What is asked": "Request details",
    "What will change in which system": "Changes in each system",
    "Kind of staff": "Staff category",
    "Registration of a role": "Register a role",
    "End of a role": "End role",
    "Decision about the role": "Unit approval",
    "One unit decided": "Unit decision",
    "Waits for an answer": "Awaiting reply",
    "What was written": "Conversation",
    "No, go back": "Cancel",
    "The system": "Automatic",
    "Journal": "Audit log",
    "Systems will be told after {time}": "Approved. Systems are notified at {time}; until then you can undo this.",
}
MENU = {
    "Yêu cầu": "Requests",
    "Nhân sự": "People",
    "Các đơn vị": "Units",
    "Việc ủy quyền": "Delegations",
    "Hệ thống": "Systems",
    "Nhật ký": "Audit log",
    "Báo cáo": "Reports",
}


@cache
def said() -> str:
    """Everything that a screen may say, as it stands in the code; strings that are broken over lines are made whole."""
    text = ""
    for room in SCREENS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in {".py", ".html", ".js", ".toml"} and path.name not in NOT_SAID:
                for line in path.read_text(encoding="utf-8").splitlines():
                    if not line.lstrip().startswith(("#", "//", '"""')):
                        text += f"{line.strip()}\n"
    return text.replace('"\n"', "").replace('" "', "")


@pytest.mark.parametrize("former", INSTEAD)
def test_what_was_agreed_on_is_said_and_what_it_replaced_is_not(former: str) -> None:
    assert former not in said()
    assert INSTEAD[former] in said()


@pytest.mark.parametrize("words", ALSO)
def test_what_was_missing_is_said(words: str) -> None:
    assert words.lower() in said().lower()


def test_the_english_has_the_agreed_words_alone() -> None:
    spoken = {form for one in english().values() for form in ((one,) if isinstance(one, str) else one)}
    assert not set(ENGLISH) & spoken
    assert not set(ENGLISH.values()) - spoken
    assert {vietnamese: english()[vietnamese] for vietnamese in MENU} == MENU
    assert english()["Gửi yêu cầu"] == "Send request", "it stands on a button"


def test_a_text_message_says_first_what_its_code_is_for() -> None:
    assert {"xac thuc dang nhap", "dat lai mat khau thu cong vu"} <= set(texts.PURPOSES.values())
