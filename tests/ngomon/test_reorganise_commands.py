"""`ngomon reorganise`: a plan as a file, a run under a decision, the brake, and what is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from tests.ngomon.test_operators import operators
from tests.ngomon.test_role_commands import Run, file, run

__all__ = ["file", "run"]
COMMUNES = "code,name,parent_code\nHUE,UBND thành phố,-\nXA1,Xã Một,HUE\nXA2,Xã Hai,HUE\nXA3,Xã Ba,HUE\n"
HEAD = "action,unit_code,target_code,new_name,new_parent_code,effective_on\n"
ACTS = HEAD + "merge,XA1,XA3,,,01/07/2025\nmerge,XA2,XA3,Phường Mới,,01/07/2025\n"
ROLES = ("--as-roles", "--decision", "125/QĐ-UBND", "--by", "An")
WORDS = ("--decision", "12/QĐ-UBND", "--by", "An", "--yes")


@pytest.fixture
def merger(run: Run, file: Callable[[str], Path], tmp_path: Path) -> Path:
    """Thirty invented people in three communes, and the file that makes one of them."""
    assert run("units", "import", file(COMMUNES))[0] == 0
    lines = ["national_id,full_name,birth_date,unit_code,subject_type,position,official_email"]
    for n in range(30):
        mail = f"n{n}@hue.example"
        lines.append(f"0000900001{n:02d},Trần Thị B,1990,XA{n % 3 + 1},cong_chuc,chuyen_vien,{mail}")
    (tmp_path / "people.csv").write_text("\n".join(lines))
    assert run("staff", "import", tmp_path / "people.csv", *ROLES)[0] == 0
    (tmp_path / "acts.csv").write_text(ACTS)
    return tmp_path


def test_a_merger_is_planned_run_and_shown(run: Run, merger: Path) -> None:
    plan = merger / "plan.json"
    code, said, err = run("reorganise", "plan", merger / "acts.csv", "--out", plan)
    assert (code, err) == (0, "")
    assert said.splitlines()[:4] == [
        "XA1 gains 0 loses 10",
        "XA2 gains 0 loses 10",
        "XA3 gains 20 loses 0",
        "20 people move, 20 rows of the staff directory go along",
    ]
    assert "warning: 01/07/2025 has passed" in said, "a day that was meant otherwise is seen"
    assert "warning: XA3 has nobody in charge" in said and "00009" not in plan.read_text()
    code, said, err = run("reorganise", "run", plan, *WORDS)
    assert code == 1 and "brake: 20 of 30 people" in err and run("reorganise", "list")[1].count("QĐ") == 0
    code, said, err = run("reorganise", "run", plan, *WORDS, "--brake-off")
    assert (code, err) == (0, "")
    first, *_, last = said.splitlines()
    assert str(UUID(first)) == first and last == "done: 20 people moved"
    for words in (("list",), ("show", first)):
        code, said, _ = run("reorganise", *words)
        assert code == 0 and first in said and "12/QĐ-UBND" in said and "done" in said
    assert run("audit", "verify")[0] == 0
    tags = [tag for tag, _ in operators()]
    assert tags.count("reorganisation.begun") == 1 and tags.count("role.reorganised") == 20
    assert "Phường Mới" in run("units", "list")[1] and "XA1" not in run("units", "list")[1]
    code, _, err = run("reorganise", "run", plan, *WORDS, "--brake-off")
    assert code == 1 and "plan_stale" in err and "XA1: roles" in err
    assert run("reorganise", "resume", first, "--yes")[0] == 1
    code, said, err = run("reorganise", "reverse", first, "--yes", "--brake-off", "--by", "An")
    assert (code, said, err) == (0, "reversed: 20 people are where they were\n", "")
    assert "reversed" in run("reorganise", "show", first)[1] and "XA1" in run("units", "list")[1]
    assert run("audit", "verify")[0] == 0
    code, _, err = run("reorganise", "reverse", first, "--yes", "--brake-off")
    assert code == 1 and "it is reversed" in err


def test_a_reorganisation_wants_its_words_and_a_file_that_holds(run: Run, merger: Path) -> None:
    plan, bad = merger / "plan.json", merger / "bad.csv"
    bad.write_text(HEAD + "merge,XA1,XA2,,,\nmerge,XA2,XA1,,,01/07/2025\n")
    code, said, err = run("reorganise", "plan", bad, "--out", plan)
    assert code == 1 and "nothing was imported" in err and "effective_on" in said and not plan.exists()
    future = merger / "future.csv"
    future.write_text(HEAD + "merge,XA1,XA2,,,01/07/2099\n")
    assert run("reorganise", "plan", future, "--out", plan)[0] == 0
    for words, why in (
        (("--decision", "1/QĐ", "--yes"), "--by NAME"),
        (("--by", "An", "--yes"), "--decision"),
        (WORDS, "01/07/2099"),
    ):
        code, _, err = run("reorganise", "run", plan, *words)
        assert code != 0 and why in " ".join(err.replace("│", " ").split()), why
    assert run("reorganise", "plan", merger / "acts.csv", "--out", plan)[0] == 0, "a plan may be made again"
    code, _, err = run("reorganise", "plan", merger / "acts.csv", "--out", bad)
    assert code == 1 and "is no plan" in err
    code, _, err = run("reorganise", "run", plan, "--decision", "1/QĐ", "--by", "An", "--brake-off")
    assert code == 1 and "--yes" in err
    assert run("reorganise", "show", UUID(int=7))[0] == 1
