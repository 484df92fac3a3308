"""The invented staff of the demo's province: the same people at every start.

Personal numbers begin 000, phones 0550 (rule 1031), mails end in .example.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from functools import cache

import msgspec

from demo.persona import PERSONAS, Persona, persona
from demo.province import COMMUNES, DEPARTMENTS, MAIL_HOST, WARDS, UnitRow, units_csv_rows

FAMILY = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Trương",
]
MIDDLE = (
    ("Văn", "Minh", "Quang", "Đức", "Hữu", "Thanh"),
    ("Thị", "Thị Thanh", "Thị Mỹ", "Ngọc", "Thị Kim", "Bảo"),
)
GIVEN = (
    [
        "Anh",
        "Bảo",
        "Cường",
        "Đạt",
        "Hiếu",
        "Hùng",
        "Khoa",
        "Long",
        "Nghĩa",
        "Phúc",
        "Quân",
        "Sơn",
        "Thịnh",
        "Tuấn",
        "Việt",
    ],
    [
        "Ánh",
        "Châu",
        "Diệp",
        "Hà",
        "Hạnh",
        "Lan",
        "Linh",
        "Loan",
        "Nga",
        "Nhung",
        "Oanh",
        "Phương",
        "Thảo",
        "Trang",
        "Yến",
    ],
)
OTHER_BIRTH_DATE = "1995-02-21"  # what the directory says of Đỗ Thị Mai, wrongly
MANY = ("19774", "19789", "SNV", "SKHCN")  # where visitors look first: these parts have more people


class StaffRow(msgspec.Struct, frozen=True):
    """One line of `ngomon staff import`; the fields are its columns (rule 1002)."""

    national_id: str
    full_name: str
    birth_date: str
    unit_code: str
    subject_type: str
    position: str
    employee_code: str
    official_email: str
    phone: str


class Resident(msgspec.Struct, frozen=True):
    """Somebody as the subscriber and the social-insurance registry know them (rule 130)."""

    phone: str
    social_insurance_number: str
    national_id: str
    full_name: str
    birth_date: str


class ManagerRow(msgspec.Struct, frozen=True):
    """One row of `ngomon managers import`."""

    unit_code: str
    national_id: str


PLACES: dict[str, tuple[str, str, str]] = {  # where the cast works: unit, subject type, position
    "binh": ("19774-VHXH", "cong_chuc", "chuyen_vien"),
    "chi": ("19774-PVHCC", "vien_chuc", "mot_cua"),
    "dung": ("19774", "can_bo", "chu_tich_ubnd"),
    "giang": ("19789", "can_bo", "chu_tich_ubnd"),
    "hai": ("SNV", "cong_chuc", "giam_doc"),
    "huong": ("VPUB", "cong_chuc", "chanh_van_phong"),
    "khanh": ("SNV-CCVC", "cong_chuc", "chuyen_vien"),
    "mai": ("19789-VHXH", "cong_chuc", "chuyen_vien"),
    "nam": ("19789-VP", "nguoi_lao_dong", "nhan_vien"),
}


def staff_rows() -> list[StaffRow]:
    """The staff directory: the cast where they work, and everybody around them."""
    return list(_staff())


@cache
def _staff() -> tuple[StaffRow, ...]:
    """Made once: every demo asks for the same."""
    rows = [_of_the_cast(one, number) for number, one in enumerate(PERSONAS) if one.key in PLACES]
    taken = {(row.unit_code, row.position) for row in rows}
    for unit in units_csv_rows():
        for subject_type, position in _posts(unit):
            if (unit.code, position) not in taken or position not in _LEADING:
                rows.append(_somebody(len(rows), unit.code, subject_type, position))
    return tuple(rows)


def residents() -> list[Resident]:
    """Everybody at hand, the cast first: whose number is registered to whom. The registries tell the truth
    where the staff directory errs."""
    cast = [
        Resident(
            f"+84{_cast_phone(number)[1:]}",
            f"0000900{number:03}",
            one.national_id,
            one.full_name,
            one.birth_date,
        )
        for number, one in enumerate(PERSONAS)
    ]
    known = {one.national_id for one in cast}
    return cast + [
        Resident(
            f"+84{row.phone[1:]}", f"0000{100000 + number:06}", row.national_id, row.full_name, row.birth_date
        )
        for number, row in enumerate(staff_rows())
        if row.national_id not in known
    ]


def manager_rows() -> list[ManagerRow]:
    """Who decides where: a head for their own part, a leader for the whole and each of its parts."""
    leaders = {row.unit_code: row.national_id for row in staff_rows() if row.position in _LEADING}
    rows = []
    for unit in units_csv_rows():
        deciders = [leaders.get(unit.code), leaders.get(unit.parent_code)]
        rows += [ManagerRow(unit.code, number) for number in dict.fromkeys(deciders) if number]
    chief = persona("huong")
    return [ManagerRow("UBND", chief.national_id), *rows] if chief else rows


_LEADING = {
    "giam_doc", "chanh_van_phong", "chanh_thanh_tra", "chi_cuc_truong", "truong_phong", "chu_tich_ubnd",
}  # fmt: skip


def _posts(unit: UnitRow) -> Iterator[tuple[str, str]]:
    """Which posts of a unit somebody holds, the leading one first."""
    yield from _heads(unit)
    if unit.kind in {"division", "center"} and unit.parent_code in MANY:
        yield "cong_chuc", "chuyen_vien_chinh"
        yield "vien_chuc" if unit.kind == "center" else "cong_chuc", "chuyen_vien"
        yield "nguoi_lao_dong", "nhan_vien"
    if unit.code == "19774-VP":
        yield "cong_chuc", "van_thu"


def _heads(unit: UnitRow) -> Iterator[tuple[str, str]]:
    if unit.kind in {"ward", "commune"}:
        yield "can_bo", "chu_tich_ubnd"
    elif unit.code == "TT":
        yield "cong_chuc", "chanh_thanh_tra"
    elif unit.code == "VPUB" or unit.name.startswith("Văn phòng"):
        yield "cong_chuc", "chanh_van_phong"
    elif unit.kind == "department":
        yield "cong_chuc", "giam_doc"
    elif unit.kind == "sub_department":
        yield "cong_chuc", "chi_cuc_truong"
    elif unit.kind == "center":
        yield "vien_chuc", "giam_doc"
    elif unit.kind == "division":
        yield "cong_chuc", "truong_phong"


def _of_the_cast(one: Persona, number: int) -> StaffRow:
    unit, subject_type, position = PLACES[one.key]
    return StaffRow(
        national_id=one.national_id,
        full_name=one.full_name,
        birth_date=OTHER_BIRTH_DATE if one.key == "mai" else one.birth_date,
        unit_code=unit,
        subject_type=subject_type,
        position=position,
        employee_code=f"CB9{number:04}",
        official_email=f"{_mail_name(one.full_name)}@{_host(unit)}",
        phone=_cast_phone(number),
    )


def _cast_phone(number: int) -> str:
    return f"0550000{number:03}"


def _somebody(number: int, unit: str, subject_type: str, position: str) -> StaffRow:
    """The person with this running number; the factors only scatter names and dates."""
    sex = number % 2
    given = GIVEN[sex][number * 7 % len(GIVEN[sex])]
    name = f"{FAMILY[number * 11 % len(FAMILY)]} {MIDDLE[sex][number // 2 % len(MIDDLE[sex])]} {given}"
    born = date(1968 + number * 7 % 32, 1 + number * 11 % 12, 1 + number * 13 % 28)
    return StaffRow(
        national_id=f"000{sex}{born.year % 100:02}{100000 + number}",
        full_name=name,
        birth_date=born.isoformat(),
        unit_code=unit,
        subject_type=subject_type,
        position=position,
        employee_code=f"CB{number:05}",
        official_email=f"{_mail_name(name)}{number}@{_host(unit)}",
        phone=f"05501{number:05}",
    )


def _mail_name(full_name: str) -> str:
    """As offices write it: `Trần Văn Bình` is `binh.tv`."""
    *before, given = full_name.split()
    return f"{_plain(given)}.{''.join(_plain(word)[0] for word in before)}"


def _host(unit: str) -> str:
    """The mail host of the department or commune that a unit belongs to."""
    top = unit.partition("-")[0]
    place = WARDS.get(top) or COMMUNES.get(top)
    if place:
        return f"{_plain(place)}.{MAIL_HOST}"
    return f"{top.lower()}.{MAIL_HOST}" if top in DEPARTMENTS else MAIL_HOST


def _plain(text: str) -> str:
    """Lower-case ASCII without blanks, as in a mail address."""
    flat = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in flat.lower() if letter.isascii() and letter.isalnum())
