"""Whom the shipped maps find in what providers say (rules 405, 407, 408, 409)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from backend.environment import SettingsError, load
from backend.outside.eid.eid_claims import SHIPPED, Person, claims_map, person_of
from backend.outside.eid.eid_provider import post_office, vneid
from backend.settings import EIdSettings

ISSUER = "https://dinh-danh.example"
CITIZEN = {"sub": "1", "TechID": "T-1", "LoaiTaiKhoan": "1", "SoDinhDanh": "000197000101", "HoVaTen": "Nguyễn Thị An", "loAs": "LoA2"}  # fmt: skip
ENTERPRISE = {"TechID": "T-2", "LoaiTaiKhoan": 2, "MaSoThue": "0000000017", "TenDoanhNghiep": "Công ty Thử", "HoVaTen": "Nguyễn Thị An", "loAs": 2}  # fmt: skip
DIRECT = {"citizenPid": "000197000101", "fullName": "Nguyễn Thị An", "birthDate": "1997-03-14", "accountType": 1, "accountLevel": 2}  # fmt: skip
HUE_S = {"sub": "kc-1", "name": "Nguyễn  Thị An", "birthdate": "14/03/1997", "gender": 2, "citizenId": "000197000101", "phone": "0550123456"}  # fmt: skip


def read(name: str, claims: dict[str, Any], **changes: Any) -> Person:
    return person_of(claims | changes, claims_map(name), issuer=ISSUER)


def test_every_shipped_map_is_known_by_its_name() -> None:
    assert {"vneid", "portal", "vneid_direct", "hue_s"} <= SHIPPED


def test_a_citizen_of_the_portal() -> None:
    found = read("portal", CITIZEN, SoCMND="000000191")
    assert (found.subject, found.national_id, found.old_id_number) == ("T-1", "000197000101", "000000191")
    assert (found.kind, found.level, found.birth_date, found.tax_code) == ("citizen", 2, None, None)


def test_a_citizen_of_the_portal_known_by_the_old_number_only() -> None:
    found = read("portal", CITIZEN, SoDinhDanh="", SoCMND="000000191")
    assert (found.national_id, found.old_id_number) == ("", "000000191")


def test_the_twelve_digits_in_the_place_of_the_old_number_are_the_personal_number() -> None:
    found = read("portal", CITIZEN, SoDinhDanh=None, SoCMND="000197000101")
    assert (found.national_id, found.old_id_number) == ("000197000101", None)


@pytest.mark.parametrize(("said", "level"), [(1, 1), ("2", 2), (3, 3), ("LoA1", 1), ("LoA2", 2), ("LoA3", 3)])
def test_the_portals_levels(said: Any, level: int) -> None:
    assert read("portal", CITIZEN, loAs=said).level == level


def test_an_enterprise_of_the_portal_has_its_own_name_and_tax_code() -> None:
    found = read("portal", ENTERPRISE)
    assert (found.kind, found.full_name, found.tax_code) == ("enterprise", "Công ty Thử", "0000000017")
    assert (found.national_id, found.birth_date, found.gender) == ("", None, None)


@pytest.mark.parametrize(
    ("said", "code"),
    [("0000000017-001", "0000000017-001"), ("0000000017001", "0000000017-001"), ("0000000017", "0000000017")],
)
def test_a_tax_code_has_one_spelling(said: str, code: str) -> None:
    assert read("portal", ENTERPRISE, MaSoThue=None, MaSoDoanhNghiep=said).tax_code == code


@pytest.mark.parametrize("said", ["1997-03-14", "14/03/1997", "19970314"])
def test_three_spellings_of_a_birth_date(said: str) -> None:
    assert read("vneid_direct", DIRECT, birthDate=said).birth_date == "1997-03-14"


@pytest.mark.parametrize("said", [1, "1", None])
def test_vneid_itself_knows_citizens(said: Any) -> None:
    found = read("vneid_direct", DIRECT, accountType=said)
    assert (found.kind, found.subject, found.national_id) == ("citizen", "000197000101", "000197000101")


@pytest.mark.parametrize(("said", "level"), [(2, 2), ("2", 2), ("1", 1), (None, 1), ("", 1)])
def test_r34_the_level_of_hue_s_comes_from_a_claim_and_is_the_first_where_none_says_it(
    said: Any, level: int
) -> None:
    assert read("hue_s", HUE_S, assurance_level=said).level == level


@pytest.mark.parametrize("said", ["high", 3, [2], True])
def test_r34_a_level_of_hue_s_that_nobody_knows_is_no_level(said: Any) -> None:
    with pytest.raises(ValueError, match="assurance_level"):
        read("hue_s", HUE_S, assurance_level=said)


def test_hue_s_has_papers_and_a_number_for_the_person() -> None:
    papers = [{"type": "HC", "idNumber": "C0000001"}, {"type": "CMND", "idNumber": "000000191"}, 7]
    found = read("hue_s", HUE_S, identityPapers=papers)
    assert (found.level, found.old_id_number, found.national_id) == (1, "000000191", "000197000101")
    assert (found.full_name, found.birth_date, found.gender) == ("Nguyễn Thị An", "1997-03-14", "female")


def test_hue_s_without_a_number_is_nobody() -> None:
    with pytest.raises(ValueError, match="national_id"):
        read("hue_s", HUE_S, citizenId="", identityPapers=[{"type": "CMND", "idNumber": "000000191"}])


def test_the_post_offices_level_is_two_whatever_it_claims() -> None:
    provider = post_office(load({}))
    assert provider is not None
    claims = {"sub": "bd-1", "national_id": "000197000101", "full_name": "Nguyễn Thị An"}
    for said in (None, 1, 2, 3, "LoA4", True):
        person = person_of(claims | {"assurance_level": said}, provider.claims, issuer=provider.issuer)
        assert person.level == 2


def test_each_flavour_brings_its_own_method_level_and_map() -> None:
    portal = vneid(load({"NGOMON_VNEID_FLAVOUR": "portal"}))
    assert (portal.userinfo_method, portal.acr_values, portal.scopes) == ("POST", "LoA1", "openid")
    assert portal.claims["subject"] == "TechID"
    told = {"NGOMON_VNEID_FLAVOUR": "portal", "NGOMON_VNEID_USERINFO_METHOD": "GET", "NGOMON_VNEID_ACR_VALUES": "LoA2"}  # fmt: skip
    changed = vneid(load(told | {"NGOMON_VNEID_SCOPES": "openid x", "NGOMON_VNEID_CLAIMS": "hue_s"}))
    assert (changed.userinfo_method, changed.acr_values, changed.scopes) == ("GET", "LoA2", "openid x")
    assert changed.claims["national_id"] == "citizenId"
    plain = vneid(load({}))
    assert (plain.userinfo_method, plain.acr_values, plain.scopes) == ("GET", "", "openid profile phone eid")


def test_the_post_office_may_be_of_any_flavour_and_its_level_stays_two() -> None:
    there = {"NGOMON_POST_OFFICE_ISSUER": "https://buu-dien.example", "NGOMON_POST_OFFICE_CLIENT_ID": "cong"}
    told = {"FLAVOUR": "portal", "TOKEN_URL": "https://buu-dien.example/t", "USERINFO_METHOD": "GET", "ACR_VALUES": "LoA2"}  # fmt: skip
    provider = post_office(
        load(there | {f"NGOMON_POST_OFFICE_{name}": value for name, value in told.items()})
    )
    assert provider is not None
    assert (provider.issuer, provider.client_id) == ("https://buu-dien.example", "cong")
    assert (provider.token_url, provider.userinfo_method) == ("https://buu-dien.example/t", "GET")
    assert (provider.acr_values, provider.scopes, provider.flavour.signed) == ("LoA2", "openid", False)
    assert person_of(CITIZEN | {"loAs": "LoA3"}, provider.claims, issuer=provider.issuer).level == 2


def test_a_map_is_named_or_a_file_and_the_envelope_key_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("x")
    for name, value in {
        "CLAIMS": "hue",
        "ENVELOPE_KEY": str(tmp_path / "key.pem"),
        "FLAVOUR": "vneid_direct",
    }.items():
        with pytest.raises(
            SettingsError, match=f"NGOMON_VNEID_{'ENVELOPE_KEY' if name == 'FLAVOUR' else name}: "
        ):
            load({f"NGOMON_VNEID_{name}": value})
    (tmp_path / "own.toml").write_text('subject = "id"')
    settings = load({"NGOMON_VNEID_CLAIMS": str(tmp_path / "own.toml"), "NGOMON_POST_OFFICE_CLAIMS": "hue_s"})
    assert vneid(settings).claims == {"subject": "id"}


def test_production_has_no_second_provider_unless_one_is_named() -> None:
    assert post_office(msgspec.structs.replace(load({}), post_office=EIdSettings())) is None


PLAIN = {"sub": "p-1", "national_id": "000150000777", "full_name": "Nguyễn Thị An", "birth_date": "1950-03-14", "gender": "female", "assurance_level": 2}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kept"),
    [("1950", "1950"), ("1950-00-00", "1950"), ("1950-03", "1950-03"), ("1950-03-00", "1950-03"), ("0000-03-14", "0000-03-14"),
     ("14/3/1950", "1950-03-14"), ("1950-03-14 00:00:00", "1950-03-14"), ("1950-03-14T00:00:00+07:00", "1950-03-14")],
)  # fmt: skip
def test_of_some_people_only_a_part_of_the_birth_date_is_known(said: str, kept: str) -> None:
    assert read("vneid", PLAIN, birth_date=said).birth_date == kept


ODD: dict[str, list[Any]] = {
    "birth_date": ["0000-00-00", "1990-13-45", "30/02/1990", "1889-01-01", "gestern", 1950, True, ["1950"], {"y": 1950}, "x" * 9999],
    "gender": ["khác", "X", 7, True, [], {}, "x" * 9999, 1.5],
    "old_id_number": [7, True, {}, "12", "x" * 9999],
}  # fmt: skip


@pytest.mark.parametrize(("name", "odd"), [(name, odd) for name, values in ODD.items() for odd in values])
def test_an_odd_value_that_nobody_needs_refuses_nobody(name: str, odd: Any) -> None:
    found = read("vneid", PLAIN, **{name: odd})
    assert (found.national_id, found.full_name, found.level) == ("000150000777", "Nguyễn Thị An", 2)
    assert getattr(found, name) is None


def test_an_odd_value_of_what_the_map_requires_is_refused_and_not_quoted() -> None:
    with pytest.raises(ValueError, match=r"^birth_date$"):
        read("vneid_direct", DIRECT, birthDate="1997-13-45")


@pytest.mark.parametrize(
    "blank", ["\u00a0", "\u2009", "\u202f", "\u3000", "\u200b", "\ufeff", " \u200b", "  ", "\t"]
)
def test_an_odd_blank_in_a_name_is_a_blank(blank: str) -> None:
    assert read("vneid", PLAIN, full_name=f"Nguyễn{blank}Thị An{blank}").full_name == "Nguyễn Thị An"


@pytest.mark.parametrize(
    "name", ["", " ", "\u200b", "\u00a0", "An\u202eevil", "An\x07", "x" * 201, "x" * 9999, None, 7, ["An"]]
)
def test_a_name_that_nobody_can_read_is_none(name: Any) -> None:
    with pytest.raises(ValueError, match="text"):
        read("vneid", PLAIN, full_name=name)
