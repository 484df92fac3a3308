"""What is said of a wrong file of a catalogue: line, table, entry, key, and what to do, in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend.imports.rows import ImportRefused, RowError, in_both
from backend.roles.catalogue.in_force import read_file, shipped
from backend.roles.catalogue.writing import written

TEXT = written(shipped())
LAST = len(TEXT.splitlines())


def errors(text: str | bytes) -> list[RowError]:
    with pytest.raises(ImportRefused) as refused:
        read_file(text if isinstance(text, bytes) else text.encode())
    return refused.value.errors


def swap(old: str, new: str) -> Callable[[], str]:
    def changed() -> str:
        assert old in TEXT
        return TEXT.replace(old, new, 1)

    return changed


def more(text: str) -> Callable[[], str]:
    return lambda: TEXT + text


POST = '\n[[positions]]\ncode = "x"\nlabel = "X"\nlabel_en = "X"\nsubject_types = ["can_bo"]\n'
FIELD = '\n[[subject_types.fields]]\nname = "x"\nlabel = "X"\nlabel_en = "X"\n'
WRONG = [
    ("an unknown table", more('\n[[roles]]\ncode = "x"\n'), "roles", "unknown_table"),
    ("an unknown key at the top", swap("concurrent_limit", "concurent_limit"), "concurent_limit", "unknown_table"),
    ("an unknown key", swap("leading = true", "leader = true"), "[[positions]] giam_doc, leader", "unknown_key"),
    ("an unknown key of a field", more(FIELD + 'type = "text"\nprivate = true\n'), "[[subject_types]] nguoi_lao_dong.x, private", "unknown_key"),
    ("no English", swap('label_en = "Official"\n', ""), "[[subject_types]] can_bo, label_en", "key_missing"),
    ("an empty label", swap('label = "Cán bộ"', 'label = " "'), "[[subject_types]] can_bo, label", "required"),
    ("no code", swap('code = "lai_xe"\n', ""), "[[positions]] #9, code", "key_missing"),
    ("a code in capitals", swap('code = "lai_xe"', 'code = "Lái xe"'), "[[positions]] Lái xe, code", "bad_code"),
    ("a code twice", more(POST.replace('"x"', '"lai_xe"')), "[[positions]] lai_xe, code", "code_twice"),
    ("another format", swap("version = 1", "version = 2"), "version", "out_of_range"),
    ("a text for a number", swap("concurrent_limit = 3", 'concurrent_limit = "3"'), "concurrent_limit", "wrong_kind"),
    ("a yes for a number", swap("concurrent_limit = 3", "concurrent_limit = true"), "concurrent_limit", "wrong_kind"),
    ("a number for a yes", swap("leading = true", "leading = 1"), "[[positions]] giam_doc, leading", "wrong_kind"),
    ("a text for a day", more(POST + 'until = "mai"\n'), "[[positions]] x, until", "wrong_kind"),
    ("an hour for a day", more(POST + "until = 2026-12-31T10:00:00\n"), "[[positions]] x, until", "wrong_kind"),
    ("an unknown grant", more(POST + 'grants = ["vua"]\n'), "[[positions]] x, grants", "unknown_code"),
    ("an unknown subject type", more(POST.replace("can_bo", "vua")), "[[positions]] x, subject_types", "unknown_code"),
    ("a post of nobody", more(POST.replace('["can_bo"]', "[]")), "[[positions]] x, subject_types", "required"),
    ("an invented movement", more('\n[[movements]]\ncode = "sleep"\nlabel = "Ngủ"\nlabel_en = "Sleep"\n'), "[[movements]] sleep, code", "no_new_movement"),
    ("too many days", swap("longest_days = 1096", "longest_days = 99999"), "[[movements]] secondment, longest_days", "out_of_range"),
    ("a pair of one", swap('["ke_toan", "van_thu"]', '["ke_toan", "ke_toan"]'), "[[incompatible]] ke_toan+ke_toan, positions", "two_codes"),
    ("a pair of nobody", swap('["ke_toan", "van_thu"]', '["ke_toan", "vua"]'), "[[incompatible]] ke_toan+vua, positions", "unknown_code"),
    ("a pair twice", swap('["ke_toan", "mot_cua"]', '["van_thu", "ke_toan"]'), "[[incompatible]] van_thu+ke_toan, positions", "said_twice"),
    ("three words", more('\n[[approvals]]\nposition = "giam_doc"\nneeds = 3\n'), "[[approvals]] #6, needs", "out_of_range"),
    ("a word about nothing", more("\n[[approvals]]\nneeds = 1\n"), "[[approvals]] #6", "kind_or_position"),
    ("a word about an unknown kind", more('\n[[approvals]]\nkind = "vua"\nneeds = 1\n'), "[[approvals]] vua, kind", "bad_choice"),
    ("a word about an unknown position", more('\n[[approvals]]\nposition = "vua"\nneeds = 1\n'), "[[approvals]] #6, position", "unknown_code"),
    ("a word twice", more('\n[[approvals]]\nkind = "end"\nneeds = 2\n'), "[[approvals]] end", "said_twice"),
    ("an unknown type of field", more(FIELD + 'type = "number"\n'), "[[subject_types]] nguoi_lao_dong.x, type", "bad_choice"),
    ("a choice of nothing", more(FIELD + 'type = "select"\n'), "[[subject_types]] nguoi_lao_dong.x, options", "options_missing"),
    ("a field twice", more(FIELD.replace('"x"', '"employee_code"') + 'type = "text"\n'), "[[subject_types]] nguoi_lao_dong, fields", "name_twice"),
    ("an official address that is no address", swap('type = "email"', 'type = "text"'), "[[subject_types]] can_bo.official_email, type", "bad_choice"),
    ("somebody else's word", swap('vouched_by = ["vneid"]', 'vouched_by = ["facebook"]'), "[[subject_types]] can_bo, vouched_by", "bad_choice"),
    ("a floor beyond all levels", swap("floor = 2", "floor = 9"), "[[subject_types]] can_bo, floor", "out_of_range"),
    ("a control character", swap('label = "Lái xe"', 'label = "Lái\\u0000 xe"'), "[[positions]] lai_xe, label", "bad_characters"),
    ("a table that is none", lambda: "version = 1\npositions = 3\n", "positions", "wrong_kind"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "where", "reason"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_is_wrong_is_named_with_its_line_and_what_to_do(
    make: Callable[[], str], where: str, reason: str
) -> None:
    text = make()
    found = [error for error in errors(text) if error.reason == reason]
    assert where in [error.column for error in found]
    (first, *_) = [error for error in found if error.column == where]
    key = where.rpartition(", ")[2] if ", " in where else where
    line = text.splitlines()[first.line - 1]
    assert first.line > 0 and (key in line or line.startswith("[["))
    said = in_both(first)
    assert said.startswith(f"{reason}: ") and " · " in said and said.count(": ") >= 3


def test_a_file_that_is_no_toml_says_in_which_line() -> None:
    (error,) = errors(TEXT + "\n[[positions]\n")
    assert error.reason == "not_toml" and f"line {LAST + 2}" in in_both(error)
    assert [error.reason for error in errors(TEXT.encode("utf-16"))] == ["not_toml_utf8"]
    assert [error.reason for error in errors(b"#" * 3_000_000)] == ["file_too_large"]


@pytest.mark.parametrize("text", ["x = " + "[" * 5_000, "x = " + "{a = " * 5_000, "x = " + "9" * 5_000])
def test_a_file_that_the_parser_gives_up_is_no_toml_either(text: str) -> None:
    (error,) = errors(text)
    assert error.reason == "not_toml"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = errors(TEXT.replace("label_en", "label_eng"))
    assert {error.reason for error in found} == {"key_missing", "unknown_key"}
    assert len({error.line for error in found}) > 60


def test_a_file_of_an_office_program_is_read() -> None:
    assert read_file(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()).catalogue == shipped()


def test_a_file_says_of_movements_what_it_changes_and_the_rest_stays() -> None:
    head = TEXT[: TEXT.index("[[movements]]")]
    found = read_file((head + '[[movements]]\ncode = "rotation"\nlongest_days = 730\n').encode()).catalogue
    assert (found.movements["rotation"].longest_days, found.movements["rotation"].label) == (
        730,
        "Luân chuyển",
    )
    assert found.movements["secondment"] == shipped().movements["secondment"]
    assert found.incompatible == () and found.needs("end", "lai_xe") == 1
