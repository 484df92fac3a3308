"""The operator's commands: one line of what was done, or one line of why not and exit code 1."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from backend.crypto import new_secret_key
from backend.limits import Limits
from ngomon import cli, commands
from ngomon.commands import managers
from tests import databases

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
    monkeypatch.setenv("NGOMON_DATABASE_URL", databases.sqlite(tmp_path))
    monkeypatch.setenv("NGOMON_SECRET_KEYS", new_secret_key())
    monkeypatch.setenv("COLUMNS", "40")  # whatever a screen has, this is none

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
    assert (code, out.strip(), err) == (0, "2 units created, 0 updated, 0 ended, 0 unchanged", "")
    assert (
        run("units", "import", file(UNITS))[1].strip() == "0 units created, 0 updated, 0 ended, 2 unchanged"
    )
    staff = run("staff", "import", file(STAFF))[1]
    assert staff.strip() == "1 people created, 0 updated, 0 ended, 0 unchanged"
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
    _, vacant, _ = run("managers", "list", "--unit", "SNV")
    assert "unit without" in vacant and "NOBODY" in vacant, "R02: the operator sees the vacancy"


def test_bad_rows_are_listed_and_nothing_comes_in(run: Run, file: Callable[[str], Path]) -> None:
    code, out, err = run("units", "import", file(UNITS + "X,,NOWHERE,?,\n"))
    assert code == 1
    assert err.count("\n") == 1
    assert "3 errors; nothing was imported" in err
    for column in ("name", "parent_code", "agency_code"):
        assert column in out
    assert (
        run("units", "import", file(UNITS))[1].strip() == "2 units created, 0 updated, 0 ended, 0 unchanged"
    )


def test_every_bad_row_is_listed_where_no_screen_is_filled(
    run: Run, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = UNITS + "".join(f"X{number},Phòng,NOWHERE-{number},,\n" for number in range(90))
    code, out, err = run("units", "import", file(rows))
    assert code == 1 and "90 errors; nothing was imported" in err
    assert out.count("parent_code") == 90
    monkeypatch.setattr(commands, "out", Console(file=(screen := io.StringIO()), force_terminal=True))
    _, _, err = run("units", "import", file(rows))
    assert "90 errors (40 more not shown" in err and err.count("\n") == 1
    assert screen.getvalue().count("parent_code") == commands.SHOWN == 50


NAME = "He-thong-quan-ly-van-ban-va-dieu-hanh-cua-Uy-ban-nhan-dan"
ADDRESS = "https://203.0.113.7/scim/v2/" + "mot-duong-dan-rat-dai/" * 5


def test_a_name_and_an_address_are_never_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGOMON_ALLOWED_PRIVATE_HOSTS", "203.0.113.7")
    for name in (NAME, "[bold]:smile:"):
        added = run("systems", "add", name, "--kind", "scim", "--url", ADDRESS, "--token", "t")
        assert added[:2] == (0, f"{name} connected; 0 people to be sent\n")
    lines = run("systems", "list")[1].splitlines()
    (line,) = [line for line in lines if NAME in line]
    assert ADDRESS.rstrip("/") in line and "…" not in "".join(lines)
    assert any("[bold]:smile:" in line for line in lines), "a name is a name and no markup"


def test_a_narrow_screen_folds_and_does_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "out", Console(file=(screen := io.StringIO()), width=40))
    commands.show(("system", "address"), [(NAME, ADDRESS)])
    kept = "".join(letter for letter in screen.getvalue() if letter.isalnum())
    assert "…" not in screen.getvalue()
    assert len(kept) == sum(letter.isalnum() for letter in "systemaddress" + NAME + ADDRESS)


def test_limits_are_printed_by_the_names_under_which_they_are_set(run: Run) -> None:
    code, out, _ = run("limits")
    assert code == 0
    assert all(f" NGOMON_LIMIT_{name.upper()} " in out for name in Limits.__struct_fields__)


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("managers", "add"), "Missing option '--unit'. See `ngomon managers add --help`."),
        (("managers", "add", "--unti", "X"), "No such option"),
        (("managers", "appoint"), "No such command 'appoint'. See `ngomon managers --help`."),
        (("serve", "--workers", "0"), "'--workers'"),
        (("notices", "publish", "--title", "t", "--body", "b", "--until", "x"), "'--until'"),
        (("units", "import"), "Missing argument 'FILE'"),
        (("appoint",), "See `ngomon --help`."),
    ],
)
def test_words_that_are_wrong_are_one_line_that_says_where_to_read_on(
    run: Run, words: tuple[str, ...], cause: str
) -> None:
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert cause in err and "--help" in err
    assert err.startswith("ngomon: ") and err.count("\n") == 1


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


def test_managers_are_listed_page_by_page_and_so_is_what_nobody_decides_for(
    run: Run, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = UNITS + "TC,Sở Tài chính,,,so\nTC-P,Phòng,TC,,phong\n"
    assert run("units", "import", file(more))[0] == 0
    for number in (1, 2, 3):
        assert run("managers", "add", "--unit", "SNV", "--national-id", f"00009000000{number}")[0] == 0
    monkeypatch.setattr(managers, "MOST", 2)
    _, first, _ = run("managers", "list", "--unit", "SNV")
    assert first.count("000******") == 2 and "unit without" not in first
    after = first.splitlines()[-1].removeprefix("more: ").split()
    assert after[0] == "--after"
    _, last, _ = run("managers", "list", "--unit", "SNV", *after)
    assert last.count("000******") == 1 and "more: " not in last
    _, found, _ = run("managers", "list")
    assert found.count("NOBODY") == 2 and "more: --vacant-after" not in found
    monkeypatch.setattr(managers, "MOST", 1)
    assert run("managers", "list")[1].splitlines()[-1] == "more: --vacant-after TC"
    _, rest, _ = run("managers", "list", "--vacant-after", "TC")
    assert "TC-P" in rest and "000******" not in rest and "more: " not in rest
    code, _, err = run("managers", "list", "--after", "nowhere")
    assert code == 1 and "none of the places" in err and err.count("\n") == 1
