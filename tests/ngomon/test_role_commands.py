"""The operator's commands: one line of what was done, or one line of why not and exit code 1."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.crypto import new_secret_key
from ngomon import cli
from ngomon.migrations import migrate

Said = tuple[int, str, str]
Run = Callable[..., Said]

UNITS = "code,name,parent_code,agency_code,kind\nSNV-P,Phòng,SNV,,phong\nSNV,Sở Nội vụ,,H57.01,so\n"
STAFF = (
    "national_id,full_name,birth_date,unit_code,subject_type,position,employee_code,official_email,phone\n"
    "000090000001,Trần Thị Bình,1990-01-02,SNV,cong_chuc,chuyen_vien,CC1,binh@hue.example,0550000001\n"
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`ngomon …` on a fresh SQLite database: exit code, output, errors."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}"
    asyncio.run(migrate(url))
    monkeypatch.setenv("NGOMON_DATABASE_URL", url)
    monkeypatch.setenv("NGOMON_SECRET_KEYS", new_secret_key())
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words: str | Path) -> Said:
        monkeypatch.setattr("sys.argv", ["ngomon", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return int(ended.value.code or 0), out, err

    return command


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """A CSV file with this text."""

    def write(text: str) -> Path:
        path = tmp_path / "rows.csv"
        path.write_text(text)
        return path

    return write


def test_units_staff_and_managers_come_in(run: Run, file: Callable[[str], Path]) -> None:
    code, out, err = run("units", "import", file(UNITS))
    assert (code, out.strip(), err) == (0, "2 units created, 0 updated", "")
    assert run("units", "import", file(UNITS))[1].strip() == "0 units created, 2 updated"
    assert run("staff", "import", file(STAFF))[1].strip() == "1 people created, 0 updated"
    assert run("managers", "add", "--unit", "SNV", "--national-id", "000090000001")[:2] == (
        0,
        "manager of SNV added\n",
    )
    assert (
        run("managers", "add", "--unit", "SNV", "--national-id", "000090000001")[1]
        == "already a manager of SNV\n"
    )
    _, listed, _ = run("managers", "list")
    assert "000******001" in listed
    assert "000090000001" not in listed
    assert run("managers", "remove", "--unit", "SNV", "--national-id", "000090000001")[0] == 0
    assert "000******001" not in run("managers", "list")[1]


def test_bad_rows_are_listed_and_nothing_comes_in(run: Run, file: Callable[[str], Path]) -> None:
    code, out, err = run("units", "import", file(UNITS + "X,,NOWHERE,?,\n"))
    assert code == 1
    assert err.count("\n") == 1
    assert "3 errors; nothing was imported" in err
    for column in ("name", "parent_code", "agency_code"):
        assert column in out
    assert run("units", "import", file(UNITS))[1].strip() == "2 units created, 0 updated"


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("units", "import", "/nowhere.csv"), "no such file"),
        (("managers", "add", "--unit", "X", "--national-id", "000090000001"), "no unit with the code 'X'"),
        (("managers", "add", "--unit", "SNV", "--national-id", "123"), "a personal number has 12 digits"),
        (("managers", "remove", "--unit", "SNV", "--national-id", "000090000009"), "is not a manager of SNV"),
        (("managers", "list", "--unit", "X"), "no unit with the code 'X'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_one(
    run: Run, file: Callable[[str], Path], words: tuple[str, ...], cause: str
) -> None:
    run("units", "import", file(UNITS))
    code, _, err = run(*words)
    assert code == 1
    assert cause in err
    assert err.count("\n") == 1


def test_a_database_without_schema_says_what_to_do(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGOMON_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
    code, _, err = run("managers", "list")
    assert (code, err) == (1, "ngomon: the database has no schema yet: run `ngomon migrate`\n")


@pytest.mark.parametrize("words", [("units",), ("units", "import"), ("staff", "import"), ("managers", "add")])
def test_every_command_explains_itself(run: Run, words: tuple[str, ...]) -> None:
    code, out, _ = run(*words, "--help")
    assert code == 0
    assert "Usage" in out
