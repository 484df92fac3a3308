"""Imports from the command line: first the plan, then the yes, then the deed (rule 1003)."""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.crypto import new_secret_key
from backend.imports.rows import RowError, both
from ngomon import cli
from tests import databases
from tests.backend.imports.sheets import number, workbook

Said = tuple[int, str, str]
Run = Callable[..., Said]
UNITS = "code,name,parent_code\nSNV,Sở Nội vụ,\n" + "".join(f"P{n},Phòng {n},SNV\n" for n in range(29))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`ngomon …` on a fresh SQLite database: exit code, output, errors; a text is written to a file first."""
    monkeypatch.setenv("NGOMON_DATABASE_URL", databases.sqlite(tmp_path))
    monkeypatch.setenv("NGOMON_SECRET_KEYS", new_secret_key())

    def command(*words: str | Path, text: str | None = None) -> Said:
        if text is not None:
            (tmp_path / "rows.csv").write_text(text)
            words = (*words, tmp_path / "rows.csv")
        monkeypatch.setattr("sys.argv", ["ngomon", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


def units(run: Run, text: str, *words: str | Path) -> Said:
    return run("units", "import", *words, text=text)


def test_a_dry_run_prints_the_plan_and_changes_nothing(run: Run) -> None:
    code, out, err = units(run, UNITS, "--dry-run")
    assert (code, err) == (0, "")
    assert "plan: 30 units created, 0 updated, 0 ended, 0 unchanged" in out and "1 new root: SNV" in out
    assert units(run, UNITS, "--dry-run")[1] == out
    assert units(run, UNITS)[1].splitlines()[-1] == "30 units created, 0 updated, 0 ended, 0 unchanged"
    code, out, _ = units(run, "code,name\nP1,Phòng Một\n", "--dry-run")
    assert code == 0 and "line 2, P1: name: Phòng 1 → Phòng Một" in out


def test_a_dry_run_of_bad_rows_names_them_and_exits_with_one(run: Run) -> None:
    code, out, err = units(run, UNITS + "X,,NOWHERE\nX1,Phòng X,X\n", "--dry-run")
    assert code == 1 and "2 errors; nothing was imported" in err
    assert "NOWHERE" not in err and "no such unit" in out
    assert "plan: 30 units created" in out  # the good rows: neither X nor what stands below it


def test_a_plan_counts_the_rows_that_would_be_taken(run: Run) -> None:
    units(run, UNITS)
    staff = (
        "national_id,full_name,birth_date,unit_code,phone\n000199001001,Lê An,1990-02-01,P1,0550 123 001\n"
    )
    bad = "000199001002,Lê Ba,1990-02-01,NOWHERE,\n000199,Lê Tư,1990-02-01,P1,\n"
    code, out, err = run("staff", "import", "--dry-run", text=staff + bad)
    assert code == 1 and "2 errors" in err and "plan: 1 people created" in out
    assert run("staff", "import", text=staff)[0] == 0
    changed = run("staff", "import", "--dry-run", text="national_id,phone\n000199001001,0550.777 888\n")[1]
    assert "phone: 055****001 → 055****888" in changed


def test_an_export_is_what_its_name_says(run: Run, tmp_path: Path) -> None:
    units(run, UNITS)
    for name, begins in (("units.csv", b"\xef\xbb\xbfcode,"), ("units.XLSX", b"PK")):
        assert run("units", "export", tmp_path / name)[0] == 0
        assert (tmp_path / name).read_bytes().startswith(begins)
        assert run("units", "import", tmp_path / name)[1].endswith(" 0 ended, 30 unchanged\n")


def test_what_exists_is_changed_only_after_a_yes(run: Run) -> None:
    units(run, UNITS)
    change = "code,name\nP1,Phòng Một\n"
    code, out, err = units(run, change)
    assert code == 1 and "say --yes" in err and "Phòng 1 → Phòng Một" in out
    assert units(run, change, "--yes")[1].strip() == "0 units created, 1 updated, 0 ended, 0 unchanged"
    assert units(run, change)[:2] == (0, "0 units created, 0 updated, 0 ended, 1 unchanged\n")


def test_r36_the_good_rows_come_in_and_the_bad_ones_stand_in_a_file_to_be_mended(
    run: Run, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    rows = UNITS + "X,,SNV\nY,Tổ,X\nZ,Tổ,SNV\n"
    code, out, err = units(run, rows, "--skip-bad", bad)
    assert (code, err) == (0, "") and "2 bad rows written" in out
    assert out.splitlines()[-1] == "31 units created, 0 updated, 0 ended, 0 unchanged"
    assert stat.S_IMODE(bad.stat().st_mode) == 0o600
    written = list(csv.reader(bad.read_text("utf-8-sig").splitlines()))
    assert written == [
        ["code", "name", "parent_code", "reason"],
        ["X", "", "SNV", "name: Chưa có giá trị: điền giá trị vào ô · There is no value: fill the cell in"],
        [
            "Y",
            "Tổ",
            "X",
            f"parent_code: {both(RowError(3, 'parent_code', 'no_such_unit'))}",
        ],
    ]
    bad.write_text(bad.read_text("utf-8-sig").replace("X,,SNV", "X,Tổ,SNV"))
    assert (
        run("units", "import", bad)[1].splitlines()[-1] == "2 units created, 0 updated, 0 ended, 0 unchanged"
    )


def test_r36_bad_rows_are_never_written_over_a_file_and_nothing_is_imported_then(
    run: Run, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("mine")
    code, _, err = units(run, UNITS + "X,,SNV\n", "--skip-bad", bad)
    assert code == 1 and "is there already" in err and bad.read_text() == "mine"
    assert units(run, UNITS)[1].startswith("30 units created")


def test_r36_without_skip_bad_one_bad_row_stops_the_file(run: Run) -> None:
    code, _, err = units(run, UNITS + "X,,SNV\n", "--yes", "--brake-off")
    assert code == 1 and "1 error; nothing was imported" in err
    assert units(run, UNITS)[1].startswith("30 units created")


STAFF = "national_id,full_name,birth_date,unit_code\n" + "".join(
    f"0000900000{n:02},Người {n},1990,P1\n" for n in range(30)
)


def test_r45_a_complete_file_shows_who_has_left_and_the_brake_counts_them(run: Run) -> None:
    units(run, UNITS)
    assert run("staff", "import", text=STAFF)[1].startswith("30 people created")
    four = STAFF[: STAFF.index("000090000026")]
    code, out, err = run("staff", "import", "--complete", "--yes", text=four)
    assert code == 1 and "brake: 4 of 30 people" in err and out.count("has left") == 4
    code, out, _ = run("staff", "import", "--complete", "--yes", "--brake-off", text=four)
    assert (code, out.strip()) == (0, "0 people created, 0 updated, 4 ended, 26 unchanged")
    assert "0000900000" not in out


def test_r45_complete_with_bad_rows_passes_over_none(run: Run, tmp_path: Path) -> None:
    units(run, UNITS)
    run("staff", "import", text=STAFF)
    bad = STAFF[: STAFF.index("000090000029")] + "1,Ai,1990,P1\n"
    code, out, err = run(
        "staff", "import", "--complete", "--yes", "--skip-bad", tmp_path / "bad.csv", text=bad
    )
    assert code == 1 and "nothing was imported" in err and "mend them before --complete" in out
    assert not (tmp_path / "bad.csv").exists()
    assert run("staff", "import", text=STAFF)[1].startswith(
        "0 people created, 0 updated, 0 ended, 30 unchanged"
    )


def test_o10_a_system_is_told_of_nobody_without_a_role_and_the_command_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGOMON_ALLOWED_PRIVATE_HOSTS", "203.0.113.7")
    units(run, UNITS)
    run("staff", "import", text=STAFF)
    for unit, listed in (("SNV", 30), ("P2", 0)):
        words = (
            "systems",
            "add",
            unit,
            "--kind",
            "scim",
            "--url",
            "https://203.0.113.7/scim",
            "--token",
            "t",
        )
        _, out, _ = run(*words, "--unit", unit)
        why = " (30 in the directory, 0 with a role in force)" if listed else ""
        assert out == f"{unit} connected; 0 people to be sent{why}\n"


ACCOUNTS = "national_id,full_name,birth_date,phone,level,opened_on\n" + "".join(
    f"0000900000{n:02},Người {n},1990-03-14,05500000{n:02},2,2021-05-06\n" for n in range(12)
)


def test_r35_accounts_come_in_by_the_command_and_once_more_changes_nothing(run: Run) -> None:
    code, out, _ = run("accounts", "import", "--dry-run", text=ACCOUNTS)
    assert (code, out.strip()) == (0, "plan: 12 accounts created, 0 unchanged, 0 rows bad")
    code, out, _ = run("accounts", "import", "--by", "Lê Văn Vận", text=ACCOUNTS)
    assert (code, out.splitlines()[-1]) == (0, "12 accounts created, 0 unchanged, 0 rows bad")
    again = run("accounts", "import", text=ACCOUNTS)
    assert again[:2] == (0, "plan: 0 accounts created, 12 unchanged, 0 rows bad\n")


def test_r35_bad_accounts_stop_the_file_or_stand_in_another_one(run: Run, tmp_path: Path) -> None:
    bad, rows = tmp_path / "bad.csv", ACCOUNTS + "1,Ai,1990,,,\n"
    code, out, err = run("accounts", "import", text=rows)
    assert code == 1 and "bad_national_id" in out and "1 error; nothing was imported" in err
    code, out, _ = run("accounts", "import", "--skip-bad", bad, text=rows)
    assert code == 0 and "1 bad rows written" in out and "12 accounts created" in out
    header, row = bad.read_text("utf-8-sig").splitlines()
    assert header == "national_id,full_name,birth_date,phone,level,opened_on,reason"
    assert row.startswith('1,Ai,1990,,,,"national_id: Số định danh cá nhân gồm 12 chữ số')
    assert run("accounts", "import", "--skip-bad", tmp_path / "none.csv", text=ACCOUNTS)[0] == 0
    assert not (tmp_path / "none.csv").exists()


def test_managers_come_in_by_the_command_with_their_days(run: Run) -> None:
    units(run, UNITS)
    rows = "unit_code,national_id,from,until\nP1,000090000001,,31/12/2099\nP2,000090000002,01/01/2099,\n"
    code, out, _ = run("managers", "import", text=rows)
    assert (code, out.strip()) == (0, "2 managers created, 0 updated, 0 ended, 0 unchanged")
    _, listed, _ = run("managers", "list")
    assert "31/12/2099" in listed and "01/01/2099" in listed and "0000900000" not in listed
    code, _, err = run(
        "managers", "add", "--unit", "P3", "--national-id", "000090000003", "--until", "1/1/2020"
    )
    assert code == 1 and "the last day is before the first, or over" in err
    code, _, err = run("managers", "add", "--unit", "P3", "--national-id", "000090000003", "--from", "mai")
    assert code == 1 and "dd/mm/yyyy" in err


def test_units_are_listed_exported_and_ended(run: Run, tmp_path: Path) -> None:
    units(run, UNITS)
    assert run("units", "list", "--tree")[1].splitlines()[:2] == ["SNV  Sở Nội vụ", "  P0  Phòng 0"]
    assert "Phòng 28" in run("units", "list")[1]
    file = tmp_path / "units.csv"
    assert run("units", "export", file)[1] == f"30 units written to {file}\n"
    assert run("units", "export", file)[2] == f"ngomon: {file} is there already\n"
    assert run("units", "import", file)[:2] == (0, "0 units created, 0 updated, 0 ended, 30 unchanged\n")
    words = ("units", "end", "P1", "--successor", "P2", "--on")
    code, out, _ = run(*words, "01/01/2020")
    assert (code, out) == (
        0,
        "P1 ends on 01/01/2020, P2 takes its work over; that day has passed, so it has ended\n",
    )
    assert "Phòng 1\n" not in run("units", "list", "--tree")[1]
    assert "units stand below it" in run("units", "end", "SNV", "--successor", "P2", "--on", "01/01/2020")[2]
    assert "dd/mm/yyyy" in run(*words, "soon")[2]


def test_r36_a_refused_cell_of_a_workbook_comes_back_as_shown_and_counts_only_when_it_is_mended(
    run: Run, tmp_path: Path
) -> None:
    units(run, UNITS)
    rows = [
        ["national_id", "full_name", "birth_date", "unit_code", "employee_code"],
        ["000090000001", "Người 1", "1990", "P1", "CB1"],
        ["000090000002", "Người 2", "1990", "P1", number("45000", 1)],
    ]
    bad, again = tmp_path / "bad.csv", tmp_path / "again.csv"
    file = workbook(tmp_path / "staff.xlsx", rows, formats=[14])
    code, out, _ = run("staff", "import", file, "--skip-bad", bad)
    assert code == 0 and out.splitlines()[-1].startswith("1 people created")
    (_, row) = csv.reader(bad.read_text("utf-8-sig").splitlines())
    assert row[:5] == ["000090000002", "Người 2", "1990", "P1", "15/03/2023"]
    code, out, _ = run("staff", "import", bad)
    assert code == 1 and "not_mended" in out
    again.write_text(bad.read_text("utf-8-sig").replace(",15/03/2023,", ",CB2,"))
    assert run("staff", "import", again)[1].splitlines()[-1].startswith("1 people created")


def test_an_export_computes_nothing_for_whoever_opens_it_and_changes_nothing_when_it_comes_back(
    run: Run, tmp_path: Path
) -> None:
    units(run, "code,name,parent_code\nSNV,=1+1,-\nP1,@Phòng,SNV\n")
    file = tmp_path / "units.csv"
    assert run("units", "export", file)[0] == 0
    assert "'=1+1" in file.read_text() and "'@Phòng" in file.read_text()
    assert run("units", "import", file)[1] == "0 units created, 0 updated, 0 ended, 2 unchanged\n"
