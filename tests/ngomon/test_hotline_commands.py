"""`ngomon accounts find`, `freeze`, `thaw`: masked, one line each, and the operator stands in the journal (case O23)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.ngomon.test_operators import operators
from tests.ngomon.test_role_commands import Run, file, run

__all__ = ["file", "run"]
NUMBER = "000090000001"
PEOPLE = f"national_id,full_name,birth_date,phone,level,opened_on\n{NUMBER},Trần Thị Bình,1990-01-02,0550000001,1,2024-05-06\n"


def test_o23_a_hotline_finds_freezes_and_thaws(run: Run, file: Callable[[str], Path]) -> None:
    assert run("accounts", "import", file(PEOPLE))[0] == 0
    code, said, err = run("accounts", "find", NUMBER, "--by", "Lê An")
    assert (code, err) == (0, "")
    for line in ("number: 000******001", "phone: 055****001", "frozen since: -", "sessions: none"):
        assert line in said
    assert NUMBER not in said and "Bình" not in said
    words = (NUMBER, "--by", "Lê An", "--reason", "Báo mất máy")
    assert run("accounts", "freeze", *words)[:2] == (0, "frozen; every session has ended\n")
    assert run("accounts", "freeze", NUMBER)[:2] == (0, "frozen already\n")
    assert "\nfrozen since: -" not in run("accounts", "find", NUMBER)[1]
    assert "thaw wants --by NAME" in run("accounts", "thaw", NUMBER, "--reason", "Đã gặp")[2]
    assert run("accounts", "thaw", *words)[:2] == (0, "the account may sign in again\n")
    assert run("accounts", "thaw", *words)[2].startswith("ngomon: neither the account nor its recovery")
    for command in ("find", "freeze"):
        assert run("accounts", command, "000090000009")[2] == "ngomon: no account has this number\n"
        assert run("accounts", command, "?")[2] == "ngomon: not acceptable: number (invalid)\n"
    assert run("accounts", "freeze", NUMBER)[0] == 0, "without a reason"
    named = [tag for tag, operator in operators() if operator is not None and operator.name == "Lê An"]
    assert named == ["support.person_looked_up", "account.freeze_ordered", "account.thawed"]
    assert run("audit", "verify")[0] == 0
