"""A province's branding is read from its file, and whoever writes one is told what is wrong (rule 1032)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.accounts.codes import texts
from backend.accounts.passwords import passwords
from backend.branding.brand import SHIPPED, BrandingError, read, shipped
from backend.environment import SettingsError, load
from backend.errors import FieldsInvalid
from backend.limits import Limits
from tests.provinces import VAN_TRINH

WRONG = [
    ('name = "Hue-S"', "", "name: is missing; write 2 to 30"),
    ('name = "Hue-S"', 'name = "H"', "name: cannot be 'H'; write 2 to 30"),
    ('name = "Hue-S"', 'name = "<b>Hue</b>"', "name: cannot be"),
    ('name = "Hue-S"', 'name = "Hue\\nS"', "name: cannot be"),
    ('name = "Hue-S"', 'name = "{hotline}"', "name: cannot be"),
    ('name = "Hue-S"', "name = 1", "name: cannot be 1"),
    ('sms_name = "Hue-S"', 'sms_name = "Huế-S"', "sms_name: cannot be 'Huế-S'; write 2 to 10 letters or digits"),
    ('sms_name = "Hue-S"', 'sms_name = "Thanh pho Hue"', "sms_name: cannot be"),
    ('key = "hue_s"', 'key = "Hue-S"', "key: cannot be"),
    ('key = "hue_s"', 'key = "vneid"', "key: cannot be 'vneid'; write 2 to 20 of a-z, 0-9 and _, other than vneid"),
    ('agency_code = "HUE"', 'agency_code = "H U"', "agency_code: cannot be"),
    ('own = "19001075"', 'own = "1900 1075"', "hotlines.own: cannot be '1900 1075'; write 3 to 11 digits"),
    ('own = "19001075"', "", "hotlines.own: is missing"),
    ('["hue", "hues"]', '"hue"', "password_words: cannot be 'hue'; write a list of words"),
    ('["hue", "hues"]', '["Huế"]', "password_words: cannot be"),
    ('accent = { light = "#5b2a86"', 'accent = { light = "purple"', "colours.accent.light: cannot be 'purple'; write a"),
    ('accent = { light = "#5b2a86"', 'accent = { light = "#d9c2ee"', "colours.accent.light: its contrast to paper is"),
    ('top_ink = { light = "#fff6e6"', 'top_ink = { light = "#4a2070"', "colours.top_ink.light: its contrast to top is 1.0"),
    ("[hotlines]", '[hotlines]\nfax = "1"', "hotlines.fax: is not known"),
    ("[hotlines]", "[[hotlines]]", "hotlines.own: is missing"),
    ("[hotlines]", "[hotlines", "is not TOML"),
]  # fmt: skip


def test_the_shipped_one_is_the_one_of_hue_and_another_province_has_its_own() -> None:
    assert shipped() == read(SHIPPED) == load({}).brand
    other = load({"NGOMON_BRANDING": str(VAN_TRINH)}).brand
    assert (other.name, other.hotlines_by_key) == (
        "Vân Trình Số",
        {"vneid": "0550000901", "van_trinh": "0550000900"},
    )
    assert (other.welcome, other.welcome.en) == ("Mời vào Vân Trình Số", "Welcome to Vân Trình")


@pytest.mark.parametrize(("line", "instead", "said"), WRONG, ids=[said for *_, said in WRONG])
def test_every_mistake_is_named_with_its_remedy(tmp_path: Path, line: str, instead: str, said: str) -> None:
    file, text = tmp_path / "province.toml", SHIPPED.read_text(encoding="utf-8")
    assert line in text
    file.write_text(text.replace(line, instead, 1), encoding="utf-8")
    with pytest.raises(BrandingError) as refused:
        read(file)
    assert any(problem.startswith(said) for problem in refused.value.problems), refused.value.problems
    with pytest.raises(SettingsError) as stopped:
        load({"NGOMON_BRANDING": str(file)})
    assert stopped.value.problems == [f"NGOMON_BRANDING: {problem}" for problem in refused.value.problems]


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "province.toml"
    file.write_text('name = "X"\n', encoding="utf-8")
    with pytest.raises(BrandingError) as refused:
        read(file)
    assert {"name", "sms_name", "hotlines.own", "welcome.en", "colours.trim.dark", "password_words"} <= {
        problem.partition(":")[0] for problem in refused.value.problems
    }


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    binary = tmp_path / "province.toml"
    binary.write_bytes(b"\xff\xfe")
    for file, said in ((tmp_path / "none.toml", "cannot be read"), (binary, "must be UTF-8")):
        with pytest.raises(SettingsError, match=f"^NGOMON_BRANDING: {said}"):
            load({"NGOMON_BRANDING": str(file)})


def test_the_longest_names_still_fit_into_one_message(tmp_path: Path) -> None:
    file, text = tmp_path / "province.toml", SHIPPED.read_text(encoding="utf-8")
    text = re.sub('(?m)^sms_name = "Hue-S"', f'sms_name = "{"V" * 10}"', text)
    file.write_text(text.replace('own = "19001075"', f'own = "+{"8" * 11}"'), encoding="utf-8")
    settings = load({"NGOMON_BRANDING": str(file), "NGOMON_SMS_APP_HASH": "FA+9qCX9VSu"})
    brand = settings.brand
    said = [texts.code_text("012345", settings, Limits(), purpose) for purpose in texts.PURPOSES]
    said += [texts.decided_text(brand, decision) for decision in texts.DECISIONS]
    said += [
        texts.phone_changed_text(brand, "082****088"),
        texts.exists_text(brand),
        texts.phone_removed_text(brand),
        texts.recovered_text(brand),
    ]
    said += [texts.join_proposed_text(brand), texts.desk_joined_text(brand)]
    said += [one(brand) for one in (texts.name_proposed_text, texts.name_corrected_text, texts.thawed_text)]
    assert max(map(len, said)) <= texts.SEGMENT, max(said, key=len)


def test_what_people_of_the_province_make_passwords_of_is_too_common_there() -> None:
    for brand, guessed, fine in (
        (read(VAN_TRINH), "Vantrinh@123", "Hues@123456x"),
        (shipped(), "Hues@123456", "Vantrinh@123x7"),
    ):
        with pytest.raises(FieldsInvalid):
            passwords.check(guessed, brand)
        passwords.check(fine, brand)
