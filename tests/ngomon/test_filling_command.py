"""`ngomon staff import --as-roles`: a decision and a name first, then the plan, then the roles (O15)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.facts import Operator
from tests.ngomon.test_operators import ACCOUNT, operators
from tests.ngomon.test_role_commands import STAFF, UNITS, Run, file, run

__all__ = ["file", "run"]
WORDS = ("--as-roles", "--decision", "125/QĐ-UBND", "--by", "Lê Văn An")
GRANTED = (
    "1 people created, 0 updated, 0 ended, 0 unchanged; "
    "1 home roles granted, 1 accounts opened for them, 0 roles unchanged"
)
AGAIN = (
    "0 people created, 0 updated, 0 ended, 1 unchanged; "
    "0 home roles granted, 0 accounts opened for them, 1 roles unchanged"
)


@pytest.fixture
def people(run: Run, file: Callable[[str], Path], tmp_path: Path) -> Path:
    """A file of staff, whose units are there."""
    assert run("units", "import", file(UNITS))[0] == 0
    path = tmp_path / "people.csv"
    path.write_text(STAFF)
    return path


def test_o15_roles_are_granted_from_a_file_and_the_journal_verifies(run: Run, people: Path) -> None:
    code, out, err = run("staff", "import", people, *WORDS, "--dry-run")
    assert (code, out.strip(), err) == (0, f"plan: {GRANTED}", "")
    assert [tag for tag, _ in operators()] == ["units.imported"], "a dry run does nothing"
    assert run("staff", "import", people, *WORDS)[:2] == (0, f"{GRANTED}\n")
    name = Operator(ACCOUNT, "Lê Văn An")
    assert operators()[1:] == [
        ("staff.imported", name),
        ("accounts.imported", name),
        ("roles.filled", name),
        ("role.begun", name),
    ]
    assert run("audit", "verify")[0] == 0
    assert run("staff", "import", people, *WORDS)[:2] == (0, f"{AGAIN}\n")
    assert len(operators()) == 5, "a second time changes nothing"


def test_o15_without_a_decision_or_a_name_nothing_is_granted(run: Run, people: Path) -> None:
    for missing, words in (
        ("--decision NUMBER", ("--as-roles", "--by", "An")),
        ("--by NAME", ("--as-roles", "--decision", "125/QĐ-UBND")),
        ("--decision belongs to --as-roles", ("--decision", "125/QĐ-UBND")),
    ):
        code, _, err = run("staff", "import", people, *words)
        assert code != 0 and missing in " ".join(err.replace("│", " ").split()), missing
    for number in (" ", "x" * 61, "000090000001", "125\x07"):
        code, _, err = run("staff", "import", people, "--as-roles", "--by", "An", "--decision", number)
        assert code != 0 and "--decision" in err, number
    assert [tag for tag, _ in operators()] == ["units.imported"]


def test_o15_a_bad_row_stops_the_filling_or_is_written_to_be_mended(
    run: Run, people: Path, tmp_path: Path
) -> None:
    row = "000090000002,Lê Văn Cẩn,1980,SNV,,,CC2,can@hue.example,\n"
    people.write_text(STAFF + row)
    code, out, err = run("staff", "import", people, *WORDS)
    assert code == 1 and "2 errors; nothing was imported" in err
    assert "subject_type" in out and "position" in out
    assert [tag for tag, _ in operators()] == ["units.imported"]
    bad = tmp_path / "bad.csv"
    code, out, _ = run("staff", "import", people, *WORDS, "--skip-bad", bad)
    assert code == 0 and out.splitlines()[-1] == GRANTED
    assert "Lê Văn Cẩn" in bad.read_text("utf-8-sig") and "Bình" not in bad.read_text("utf-8-sig")


def test_o15_a_file_without_the_columns_of_a_role_is_refused(run: Run, people: Path) -> None:
    people.write_text("national_id,full_name,birth_date,unit_code\n000090000001,Trần Thị Bình,1990,SNV\n")
    code, out, err = run("staff", "import", people, *WORDS)
    assert code == 1 and "column_missing" in out + err
    assert [tag for tag, _ in operators()] == ["units.imported"]
