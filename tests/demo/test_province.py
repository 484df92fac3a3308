"""The seeded province has the look of Huế and nobody in it exists."""

from __future__ import annotations

import re
from collections import Counter

from backend.roles.catalogue.in_force import shipped
from demo.people import manager_rows, staff_rows
from demo.persona import PERSONAS, persona
from demo.province import COMMUNES, WARDS, units_csv_rows

UNITS = {row.code: row for row in units_csv_rows()}


def test_there_are_forty_communes_fourteen_departments_and_several_roots() -> None:
    assert (len(WARDS), len(COMMUNES)) == (21, 19)
    kinds = Counter(row.kind for row in UNITS.values())
    assert kinds["ward"] + kinds["commune"] == 40
    assert kinds["department"] == 14
    roots = [row for row in UNITS.values() if not row.parent_code]
    assert [row.agency_code for row in roots] == ["H57", "K57", ""]
    assert 200 <= len(UNITS) <= 300


def test_parents_come_before_their_children_and_codes_are_unique() -> None:
    seen: set[str] = set()
    for row in units_csv_rows():
        assert row.code not in seen
        assert not row.parent_code or row.parent_code in seen
        seen.add(row.code)
    agency = [row.agency_code for row in UNITS.values() if row.agency_code]
    assert len(agency) == len(set(agency))
    assert all(re.fullmatch(r"[HK]57(\.\d{2}){0,2}", code) for code in agency)


def test_no_two_units_are_called_alike() -> None:
    names = [row.name for row in UNITS.values()]
    assert len(names) == len(set(names))


def test_an_agency_code_continues_its_parents() -> None:
    for row in UNITS.values():
        if row.parent_code and row.agency_code:
            assert row.agency_code.startswith(UNITS[row.parent_code].agency_code + ".")


def test_nobody_in_the_directory_exists() -> None:
    rows = staff_rows()
    assert 250 <= len(rows) <= 400
    for row in rows:
        assert re.fullmatch(r"000[0-3]\d{8}", row.national_id)
        assert re.fullmatch(r"0550\d{6}", row.phone)
        assert row.official_email.endswith(".example")
        assert row.national_id[4:6] == row.birth_date[2:4] or row.national_id == persona_number("mai")


def persona_number(key: str) -> str:
    one = persona(key)
    assert one is not None
    return one.national_id


def test_every_row_names_one_person_once() -> None:
    rows = staff_rows()
    for column in ("national_id", "official_email", "employee_code", "phone"):
        values = [getattr(row, column) for row in rows]
        assert len(values) == len(set(values)), column
    assert rows == staff_rows()


def test_every_row_fits_the_catalogue_and_the_tree() -> None:
    for row in staff_rows():
        assert row.unit_code in UNITS
        assert row.subject_type in shipped().subject_types
        assert row.subject_type in shipped().positions[row.position].subject_types, row


def test_every_unit_with_staff_has_somebody_who_decides() -> None:
    deciding = {row.unit_code for row in manager_rows()}
    assert {row.unit_code for row in staff_rows()} <= deciding
    pairs = [(row.unit_code, row.national_id) for row in manager_rows()]
    assert len(pairs) == len(set(pairs))


def test_the_cast_is_where_its_own_words_say() -> None:
    staff = {row.national_id: row for row in staff_rows()}
    assert persona_number("an") not in staff
    assert persona_number("lam") not in staff
    assert UNITS[staff[persona_number("binh")].unit_code].name == "Phòng Văn hóa - Xã hội phường Kim Long"
    managed = {row.unit_code for row in manager_rows() if row.national_id == persona_number("dung")}
    assert {"19774", "19774-VHXH", "19774-VP", "19774-KT", "19774-PVHCC"} <= managed
    assert "UBND" in {row.unit_code for row in manager_rows() if row.national_id == persona_number("huong")}


def test_the_record_that_disagrees_disagrees_in_the_birth_date_only() -> None:
    mai = persona("mai")
    assert mai is not None
    row = next(row for row in staff_rows() if row.national_id == mai.national_id)
    assert row.full_name == mai.full_name
    assert row.birth_date != mai.birth_date


def test_the_cast_has_unique_numbers_and_subjects() -> None:
    assert len({one.national_id for one in PERSONAS}) == len({one.sub for one in PERSONAS}) == len(PERSONAS)
    assert {one.level for one in PERSONAS} == {1, 2}
