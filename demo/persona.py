"""Who can be signed in at the stand-in e-ID: a fixed cast, and the person that a visitor invents.

Nobody here exists: personal numbers begin 000, which is no province's code (rule 132).
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from backend.names import clean_name, read_birth_date

NAME_MOST = 100


class Persona(msgspec.Struct, frozen=True):
    """One person as the e-ID knows them; `about` says in a line why this one is worth picking.

    An enterprise has a tax code instead of a personal number, and its name as `full_name`.
    """

    key: str
    national_id: str
    full_name: str
    birth_date: str
    gender: str
    level: int
    about_vi: str
    about_en: str
    phone_number: str | None = None
    kind: str = "citizen"
    old_id_number: str | None = None
    tax_code: str | None = None
    email: str | None = None

    @property
    def sub(self) -> str:
        """The stable subject: derived, so that a restarted stand-in names the same person alike."""
        number = self.national_id or self.tax_code or self.old_id_number
        return hashlib.sha256(f"ngomon-eid:{number}".encode()).hexdigest()[:32]


class NotAPersona(ValueError):
    """The form's person cannot be used; the text says why, in both languages."""

    def __init__(self, vi: str, en: str) -> None:
        super().__init__(en)
        self.vi, self.en = vi, en


def invent(form: dict[str, str]) -> Persona:
    """The person of the "someone else" form. Raises `NotAPersona` for a number that could be somebody's."""
    number = re.sub(r"\s", "", form.get("national_id", ""))
    name = clean_name(form.get("full_name", ""))
    if not re.fullmatch(r"000\d{9}", number):
        raise NotAPersona(
            "Số định danh phải có 12 chữ số và bắt đầu bằng 000.",
            "The personal number must have 12 digits and begin with 000.",
        )
    if not 1 <= len(name) <= NAME_MOST or not name.isprintable():
        raise NotAPersona("Hãy nhập họ và tên.", "Please enter a full name.")
    try:
        born = read_birth_date(form.get("birth_date", ""))
    except ValueError:
        raise NotAPersona("Ngày sinh chưa đúng.", "The birth date is not valid.") from None
    return Persona(
        key=f"own-{number}",
        national_id=number,
        full_name=name,
        birth_date=born,
        gender="female" if form.get("gender") == "female" else "male",
        level=1 if form.get("level") == "1" else 2,
        about_vi="Người do bạn tự nghĩ ra",
        about_en="A person you made up",
    )


PERSONAS: tuple[Persona, ...] = (
    Persona(
        "an", "000197000101", "Nguyễn Thị An", "1997-03-14", "female", 2,
        "Công dân, chưa có tài khoản: lần đầu sẽ nhập số điện thoại và mã OTP.",
        "A citizen without an account: the first time asks for a phone and a code.",
    ),
    Persona(
        "binh", "000092000202", "Trần Văn Bình", "1992-07-02", "male", 2,
        "Công chức, chuyên viên Phòng Văn hóa - Xã hội phường Kim Long.",
        "A civil servant in the Culture and Social Affairs Division of Kim Long ward.",
    ),
    Persona(
        "chi", "000188000303", "Lê Thị Chi", "1988-11-25", "female", 2,
        "Viên chức, Trung tâm Phục vụ hành chính công phường Kim Long.",
        "A public employee at the one-stop centre of Kim Long ward.",
    ),
    Persona(
        "dung", "000079000404", "Hoàng Văn Dũng", "1979-01-09", "male", 2,
        "Chủ tịch UBND phường Kim Long: phê duyệt cho phường và các phòng của phường.",
        "Chair of Kim Long ward: decides for the ward and its divisions.",
    ),
    Persona(
        "giang", "000181000505", "Phan Thị Giang", "1981-05-30", "female", 2,
        "Chủ tịch UBND phường Thuận Hóa: tiếp nhận người chuyển đến.",
        "Chair of Thuận Hóa ward: receives people who move there.",
    ),
    Persona(
        "hai", "000074000606", "Võ Minh Hải", "1974-09-18", "male", 2,
        "Giám đốc Sở Nội vụ: phê duyệt cho Sở và các phòng của Sở.",
        "Director of the Department of Home Affairs: decides for it and its divisions.",
    ),
    Persona(
        "huong", "000176000707", "Đặng Thị Hương", "1976-12-03", "female", 2,
        "Chánh Văn phòng UBND thành phố: phê duyệt cho cấp trên, khi người xin là thủ trưởng.",
        "Chief of the city's Office: decides when the applicant is a unit's own manager.",
    ),
    Persona(
        "khanh", "000090000808", "Bùi Quang Khánh", "1990-04-21", "male", 2,
        "Công chức, chuyên viên Phòng Công chức, viên chức, Sở Nội vụ; trực đầu mối hỗ trợ.",
        "A civil servant in the Department of Home Affairs, who answers at the support desk.",
    ),
    Persona(
        "lam", "000201000909", "Ngô Văn Lâm", "2001-08-12", "male", 1,
        "Công dân, tài khoản định danh mức độ 1: chưa đủ mức để đăng ký vai trò.",
        "A citizen with a level-1 identity: not enough to register a role.",
    ),
    Persona(
        "mai", "000195001010", "Đỗ Thị Mai", "1995-02-27", "female", 2,
        "Công chức, nhưng hồ sơ cán bộ ghi khác ngày sinh: xem hệ thống báo chỗ không khớp.",
        "A civil servant whose staff record has another birth date: see what does not match.",
    ),
    Persona(
        "nam", "000085001111", "Huỳnh Văn Nam", "1985-10-06", "male", 2,
        "Người lao động hợp đồng, Văn phòng HĐND và UBND phường Thuận Hóa.",
        "A contract worker in the Office of Thuận Hóa ward.",
    ),
)  # fmt: skip

ENTERPRISES: tuple[Persona, ...] = (  # known to the portal only (rule 408)
    Persona(
        "song-huong", "", "Công ty TNHH Thử nghiệm Sông Hương", "", "", 2,
        "Doanh nghiệp có tài khoản trên Cổng dịch vụ công.",
        "An enterprise with an account at the national portal.",
        kind="enterprise", tax_code="0000000017", email="lien-he@song-huong.example",
    ),
)  # fmt: skip


def persona(key: str) -> Persona | None:
    """The member of the cast with this key."""
    return next((one for one in PERSONAS if one.key == key), None)
