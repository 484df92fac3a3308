"""The brake of imports: much of what exists changes only when that is said (rule 1003)."""

from __future__ import annotations

import pytest

from tests.ngomon.test_import_commands import UNITS, Run, run, units

__all__ = ["run"]


def test_the_brake_stops_a_change_of_much_of_what_exists(run: Run) -> None:
    units(run, UNITS)
    three, four = ("code,name\n" + "".join(f"P{n},Mới {n}\n" for n in range(count)) for count in (3, 4))
    code, _, err = units(run, four, "--yes")
    assert code == 1 and "brake: 4 of 30 units would change or end, more than 10 %" in err
    assert units(run, three, "--yes")[0] == 0
    assert units(run, four.replace("Mới", "Khác"), "--yes", "--brake-off")[0] == 0


def test_the_brake_lets_new_units_and_small_provinces_be(run: Run) -> None:
    small = UNITS[: UNITS.index("P19")]
    units(run, small)
    assert units(run, small.replace("Phòng", "Ban"), "--yes")[0] == 0, "20 rows"
    assert units(run, small + "".join(f"Q{n},Tổ,SNV\n" for n in range(50)), "--yes")[0] == 0


def test_the_brake_counts_each_organisation_too(run: Run) -> None:
    """Ten of thirty are a third of their organisation, and less than a tenth of the province."""
    other = "KH,Sở Kế hoạch,\n" + "".join(f"K{n},Phòng {n},KH\n" for n in range(100))
    units(run, UNITS + other)
    many = "code,name\n" + "".join(f"P{n},Mới {n}\n" for n in range(10))
    code, _, err = units(run, many, "--yes")
    assert code == 1 and "brake: 10 of 30 units of one root unit would change or end" in err
    people = "national_id,full_name,birth_date,unit_code\n" + "".join(
        f"000199002{n:03d},Lê An,1990,{'P1' if n < 30 else 'K1'}\n" for n in range(130)
    )
    assert run("staff", "import", text=people)[0] == 0
    renamed = "national_id,full_name\n" + "".join(f"000199002{n:03d},Lê Bình\n" for n in range(10))
    code, _, err = run("staff", "import", "--yes", text=renamed)
    assert code == 1 and "brake: 10 of 30 people of one root unit" in err
    managers = "unit_code,national_id\n" + "".join(
        f"{'P' if n < 25 else 'K'}{n},000199002{n:03d}\n" for n in range(90)
    )
    assert run("managers", "import", text=managers)[0] == 0
    longer = "unit_code,national_id,until\n" + "".join(
        f"P{n},000199002{n:03d},31/12/2090\n" for n in range(5)
    )
    code, _, err = run("managers", "import", "--yes", text=longer)
    assert code == 1 and "brake: 5 of 25 managers of one root unit" in err
    few = "unit_code,national_id,until\n" + "".join(
        f"K{n},000199002{n:03d},31/12/2090\n" for n in range(25, 30)
    )
    assert run("managers", "import", "--yes", text=few)[0] == 0, (
        "of all who are in charge there, not of those whom the file names"
    )


def test_the_brake_is_set_by_a_limit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    units(run, UNITS)
    monkeypatch.setenv("NGOMON_LIMIT_MASS_CHANGE_PERCENT", "100")
    assert units(run, UNITS.replace("Phòng", "Ban"), "--yes")[0] == 0
