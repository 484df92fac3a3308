"""What a person may be, as data: subject types with their forms, positions, and what both grant (design §7).

The four subject types are those of the Hue-S guide (source 003), told apart as the Law on
cadres and civil servants does (domain §3.5). Adding one is one entry here. Labels are
Vietnamese message ids; `backend.words` gives the English.
"""

from __future__ import annotations

from enum import Enum

import msgspec

VOUCHED = ("vneid",)  # who asks for a role has come by VNeID (source 003, IV)


class FieldType(Enum):
    """How a form field is typed in and checked."""

    TEXT = "text"
    DATE = "date"
    EMAIL = "email"
    SELECT = "select"


class Option(msgspec.Struct, frozen=True):
    """One choice of a select field."""

    value: str
    label: str


class FormField(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field of a subject type's form, in the wire form of contract §3.3."""

    name: str
    label: str
    type: FieldType
    required: bool
    options: tuple[Option, ...] = ()
    longest: int = 80


class SubjectType(msgspec.Struct, frozen=True):
    """A kind of person in public service: its form, the assurance that it needs, and what it grants.

    `vouched_by`: whose word about the person counts for it, `vneid` (of level 2) and perhaps `certificate`.
    """

    code: str
    label: str
    fields: tuple[FormField, ...]
    grants: tuple[str, ...]
    floor: int = 2
    vouched_by: tuple[str, ...] = VOUCHED

    def field(self, name: str) -> FormField | None:
        """The form field of that name."""
        return next((field for field in self.fields if field.name == name), None)


class Position(msgspec.Struct, frozen=True):
    """A post that somebody of certain subject types may hold."""

    code: str
    label: str
    subject_types: tuple[str, ...]
    grants: tuple[str, ...] = ()


GRANTS = {
    "staff": "Người dùng nội bộ",
    "leader": "Lãnh đạo",
    "clerk": "Văn thư",
    "accountant": "Kế toán",
    "one_stop": "Cán bộ một cửa",
}

EMPLOYEE_CODE = FormField("employee_code", "Mã cán bộ", FieldType.TEXT, required=False, longest=40)
OFFICIAL_EMAIL = FormField(
    "official_email", "Thư điện tử công vụ", FieldType.EMAIL, required=False, longest=254
)
DECISION_NUMBER = FormField("decision_number", "Số quyết định", FieldType.TEXT, required=False)
DECISION_DATE = FormField("decision_date", "Ngày quyết định", FieldType.DATE, required=False)
CONTRACT_DATE = FormField("contract_date", "Ngày ký hợp đồng", FieldType.DATE, required=False)
TERM = FormField("term", "Nhiệm kỳ", FieldType.TEXT, required=False, longest=40)
PROFESSIONAL_TITLE = FormField("professional_title", "Chức danh nghề nghiệp", FieldType.TEXT, required=False)
RANK = FormField(
    "rank",
    "Ngạch công chức",
    FieldType.SELECT,
    required=False,
    options=(
        Option("senior", "Chuyên viên cao cấp"),
        Option("principal", "Chuyên viên chính"),
        Option("specialist", "Chuyên viên"),
        Option("associate", "Cán sự"),
        Option("assistant", "Nhân viên"),
    ),
)

SUBJECT_TYPES: dict[str, SubjectType] = {
    kind.code: kind
    for kind in (
        SubjectType(
            "can_bo",
            "Cán bộ",
            (EMPLOYEE_CODE, OFFICIAL_EMAIL, TERM, DECISION_NUMBER, DECISION_DATE),
            ("staff",),
        ),
        SubjectType(
            "cong_chuc",
            "Công chức",
            (EMPLOYEE_CODE, OFFICIAL_EMAIL, RANK, DECISION_NUMBER, DECISION_DATE),
            ("staff",),
        ),
        SubjectType(
            "vien_chuc",
            "Viên chức",
            (
                EMPLOYEE_CODE,
                OFFICIAL_EMAIL,
                PROFESSIONAL_TITLE,
                FormField("contract_number", "Số hợp đồng làm việc", FieldType.TEXT, required=False),
                CONTRACT_DATE,
            ),
            ("staff",),
        ),
        SubjectType(
            "nguoi_lao_dong",
            "Người lao động",
            (
                EMPLOYEE_CODE,
                OFFICIAL_EMAIL,
                FormField("contract_number", "Số hợp đồng lao động", FieldType.TEXT, required=True),
                CONTRACT_DATE,
            ),
            ("staff",),
        ),
    )
}

ELECTED = ("can_bo",)
SERVANTS = ("cong_chuc",)
PUBLIC = ("cong_chuc", "vien_chuc")
OFFICE = ("cong_chuc", "vien_chuc", "nguoi_lao_dong")

POSITIONS: dict[str, Position] = {
    post.code: post
    for post in (
        Position("chuyen_vien", "Chuyên viên", OFFICE),
        Position("chuyen_vien_chinh", "Chuyên viên chính", PUBLIC),
        Position("chuyen_vien_cao_cap", "Chuyên viên cao cấp", PUBLIC),
        Position("can_su", "Cán sự", OFFICE),
        Position("nhan_vien", "Nhân viên", OFFICE),
        Position("van_thu", "Văn thư", OFFICE, ("clerk",)),
        Position("ke_toan", "Kế toán", OFFICE, ("accountant",)),
        Position("mot_cua", "Nhân viên tiếp nhận hồ sơ một cửa", OFFICE, ("one_stop",)),
        Position("lai_xe", "Lái xe", ("nguoi_lao_dong",)),
        Position("giao_vien", "Giáo viên", ("vien_chuc",)),
        Position("bac_si", "Bác sĩ", ("vien_chuc",)),
        Position("dieu_duong", "Điều dưỡng", ("vien_chuc",)),
        Position("giam_doc", "Giám đốc", PUBLIC, ("leader",)),
        Position("pho_giam_doc", "Phó Giám đốc", PUBLIC, ("leader",)),
        Position("chanh_van_phong", "Chánh Văn phòng", SERVANTS, ("leader",)),
        Position("pho_chanh_van_phong", "Phó Chánh Văn phòng", SERVANTS, ("leader",)),
        Position("chanh_thanh_tra", "Chánh Thanh tra", SERVANTS, ("leader",)),
        Position("chi_cuc_truong", "Chi cục trưởng", SERVANTS, ("leader",)),
        Position("pho_chi_cuc_truong", "Phó Chi cục trưởng", SERVANTS, ("leader",)),
        Position("truong_phong", "Trưởng phòng", PUBLIC, ("leader",)),
        Position("pho_truong_phong", "Phó Trưởng phòng", PUBLIC, ("leader",)),
        Position("bi_thu", "Bí thư", ELECTED, ("leader",)),
        Position("pho_bi_thu", "Phó Bí thư", ELECTED, ("leader",)),
        Position("chu_tich_hdnd", "Chủ tịch Hội đồng nhân dân", ELECTED, ("leader",)),
        Position("pho_chu_tich_hdnd", "Phó Chủ tịch Hội đồng nhân dân", ELECTED, ("leader",)),
        Position("chu_tich_ubnd", "Chủ tịch Ủy ban nhân dân", ELECTED, ("leader",)),
        Position("pho_chu_tich_ubnd", "Phó Chủ tịch Ủy ban nhân dân", ELECTED, ("leader",)),
        Position("uy_vien_ubnd", "Ủy viên Ủy ban nhân dân", ELECTED),
        Position("dai_bieu_chuyen_trach", "Đại biểu Hội đồng nhân dân chuyên trách", ELECTED),
    )
}


def positions_for(subject_type: str | None) -> list[Position]:
    """The posts that a subject type may hold; without one, all."""
    return [post for post in POSITIONS.values() if subject_type is None or subject_type in post.subject_types]


def grants_of(subject_type: str, position: str) -> list[str]:
    """The system roles that a post gives; codes that have left the catalogue give nothing."""
    kind, post = SUBJECT_TYPES.get(subject_type), POSITIONS.get(position)
    found = (*(kind.grants if kind else ()), *(post.grants if post else ()))
    return list(dict.fromkeys(found))


def subject_label(code: str) -> str:
    """The words for a subject type."""
    return SUBJECT_TYPES[code].label if code in SUBJECT_TYPES else code


def position_label(code: str) -> str:
    """The words for a position."""
    return POSITIONS[code].label if code in POSITIONS else code
