"""The units of the demo's province: the size and look of Huế, a sample and not its official list.

Communes carry their real names and codes (rule 1030); departments are the twelve of NĐ 150/2025 and
two that it allows (§6.1). Agency codes under H57 and K57 (§2.5) are invented below the first group.
"""

from __future__ import annotations

import msgspec

NAME, MAIL_HOST = "thành phố Huế", "hue.example"


def _codes(text: str) -> dict[str, str]:
    """`code name` per line, or several on a line with a dot between them."""
    entries = (entry.strip() for line in text.splitlines() for entry in line.split("·"))
    return dict(entry.split(" ", 1) for entry in entries if entry)


WARDS = _codes("""
    19753 Phú Xuân · 19774 Kim Long · 19777 Vỹ Dạ · 19789 Thuận Hóa · 19804 Hương An · 19813 Thủy Xuân
    19815 An Cựu · 19819 Phong Điền · 19828 Phong Phú · 19831 Phong Dinh · 19858 Phong Thái
    19873 Phong Quảng · 19900 Thuận An · 19909 Dương Nỗ · 19930 Mỹ Thượng · 19960 Phú Bài
    19969 Thanh Thủy · 19975 Hương Thủy · 19996 Hương Trà · 20014 Hóa Châu · 20017 Kim Trà
""")
COMMUNES = _codes("""
    19867 Quảng Điền · 19885 Đan Điền · 19918 Phú Hồ · 19942 Phú Vang · 19945 Phú Vinh · 20035 Bình Điền
    20044 A Lưới 2 · 20050 A Lưới 5 · 20056 A Lưới 1 · 20071 A Lưới 3 · 20101 A Lưới 4 · 20107 Phú Lộc
    20122 Vinh Lộc · 20131 Hưng Lộc · 20137 Chân Mây - Lăng Cô · 20140 Lộc An · 20161 Khe Tre
    20179 Nam Đông · 20182 Long Quảng
""")
DEPARTMENTS = _codes("""
    VPUB Văn phòng Ủy ban nhân dân thành phố · TT Thanh tra thành phố · SNV Sở Nội vụ · STP Sở Tư pháp
    STC Sở Tài chính · SCT Sở Công Thương · SNNMT Sở Nông nghiệp và Môi trường · SXD Sở Xây dựng
    SKHCN Sở Khoa học và Công nghệ · SVHTT Sở Văn hóa và Thể thao · SDL Sở Du lịch
    SGDDT Sở Giáo dục và Đào tạo · SYT Sở Y tế · SNG Sở Ngoại vụ
""")
PARTS = _codes("""
    VPUB-TH Phòng Tổng hợp · VPUB-NC Phòng Nội chính · VPUB-HCQT Phòng Hành chính - Quản trị
    VPUB-PVHCC Trung tâm Phục vụ hành chính công thành phố
    TT-VP Văn phòng · TT-NV1 Phòng Nghiệp vụ 1 · TT-NV2 Phòng Nghiệp vụ 2
    SNV-VP Văn phòng · SNV-CCVC Phòng Công chức, viên chức · SNV-TCBC Phòng Tổ chức, biên chế
    SNV-LDVL Phòng Lao động - Việc làm · SNV-LT Trung tâm Lưu trữ lịch sử
    STP-VP Văn phòng · STP-HTTP Phòng Hành chính và Bổ trợ tư pháp
    STP-TGPL Trung tâm Trợ giúp pháp lý nhà nước
    STC-VP Văn phòng · STC-NS Phòng Quản lý ngân sách · STC-DN Phòng Tài chính doanh nghiệp
    STC-DKKD Phòng Đăng ký kinh doanh
    SCT-VP Văn phòng · SCT-QLTM Phòng Quản lý thương mại · SCT-QLTT Chi cục Quản lý thị trường
    SNNMT-VP Văn phòng · SNNMT-QLDD Phòng Quản lý đất đai · SNNMT-KL Chi cục Kiểm lâm
    SNNMT-BVMT Chi cục Bảo vệ môi trường · SNNMT-QTMT Trung tâm Quan trắc môi trường
    SXD-VP Văn phòng · SXD-QHKT Phòng Quy hoạch - Kiến trúc · SXD-QLVT Phòng Quản lý vận tải
    SXD-HTKT Phòng Hạ tầng kỹ thuật
    SKHCN-VP Văn phòng · SKHCN-CDS Phòng Chuyển đổi số · SKHCN-BCVT Phòng Bưu chính, Viễn thông
    SKHCN-IOC Trung tâm Giám sát, điều hành đô thị thông minh
    SVHTT-VP Văn phòng · SVHTT-QLVH Phòng Quản lý văn hóa · SVHTT-TDTT Phòng Quản lý thể dục, thể thao
    SVHTT-TTVH Trung tâm Văn hóa và Điện ảnh
    SDL-VP Văn phòng · SDL-LH Phòng Quản lý lữ hành · SDL-XT Trung tâm Thông tin, xúc tiến du lịch
    SGDDT-VP Văn phòng · SGDDT-TCCB Phòng Tổ chức cán bộ · SGDDT-GDPT Phòng Giáo dục phổ thông
    SGDDT-GDTX Trung tâm Giáo dục thường xuyên
    SYT-VP Văn phòng · SYT-NVY Phòng Nghiệp vụ Y · SYT-ATTP Chi cục An toàn vệ sinh thực phẩm
    SYT-KSBT Trung tâm Kiểm soát bệnh tật
    SNG-VP Văn phòng · SNG-HTQT Phòng Hợp tác quốc tế
""")
WARD_PARTS = _codes("""
    VP Văn phòng HĐND và UBND · KT Phòng Kinh tế, Hạ tầng và Đô thị
    VHXH Phòng Văn hóa - Xã hội · PVHCC Trung tâm Phục vụ hành chính công
""")
COMMUNE_PARTS = WARD_PARTS | {"KT": "Phòng Kinh tế"}

SHARED = frozenset({"VP"})
FIRST_COMMUNE_GROUP = 31  # departments take H57.01 upwards


class UnitRow(msgspec.Struct, frozen=True):
    """One line of `ngomon units import`; the fields are its columns (rule 1002)."""

    code: str
    name: str
    parent_code: str
    agency_code: str
    kind: str


def units_csv_rows() -> list[UnitRow]:
    """Every unit, parents before children."""
    rows = [
        UnitRow("UBND", f"Ủy ban nhân dân {NAME}", "", "H57", "committee"),
        UnitRow("HDND", f"Hội đồng nhân dân {NAME}", "", "K57", "council"),
        UnitRow("MTTQ", f"Ủy ban Mặt trận Tổ quốc Việt Nam {NAME}", "", "", "organization"),
        UnitRow("HDND-VP", "Văn phòng Hội đồng nhân dân", "HDND", "K57.01", "division"),
        UnitRow("MTTQ-VP", "Văn phòng Ủy ban Mặt trận Tổ quốc", "MTTQ", "", "division"),
    ]
    for number, (code, name) in enumerate(DEPARTMENTS.items(), start=1):
        own = {part.partition("-")[2]: text for part, text in PARTS.items() if part.startswith(f"{code}-")}
        rows += _with_parts(UnitRow(code, name, "UBND", f"H57.{number:02}", "department"), own, name)
    for number, (code, name) in enumerate(sorted((WARDS | COMMUNES).items()), start=FIRST_COMMUNE_GROUP):
        is_ward = code in WARDS
        place = f"{'phường' if is_ward else 'xã'} {name}"
        kind = "ward" if is_ward else "commune"
        whole = UnitRow(code, f"Ủy ban nhân dân {place}", "UBND", f"H57.{number:02}", kind)
        rows += _with_parts(whole, WARD_PARTS if is_ward else COMMUNE_PARTS, place)
    return rows


def _with_parts(whole: UnitRow, parts: dict[str, str], place: str) -> list[UnitRow]:
    """A unit and what is below it; names that many places share say where they are."""
    below = [
        UnitRow(
            f"{whole.code}-{code}",
            f"{name} {place}" if code in SHARED or whole.kind != "department" else name,
            whole.code,
            f"{whole.agency_code}.{number:02}",
            _kind(name),
        )
        for number, (code, name) in enumerate(parts.items(), start=1)
    ]
    return [whole, *below]


def _kind(name: str) -> str:
    if name.startswith("Chi cục"):
        return "sub_department"
    return "center" if name.startswith("Trung tâm") else "division"
