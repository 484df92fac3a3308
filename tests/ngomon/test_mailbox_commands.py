"""`ngomon mailboxes`: one line of what was done, or one line of why not (case R43)."""

from __future__ import annotations

from pathlib import Path

from tests.ngomon.test_role_commands import UNITS, Run, run

__all__ = ["run"]
BOX, KEEPER = "sonoivu@hue.example", ("--keeper", "000090000001")


def test_r43_a_mailbox_is_added_handed_on_listed_and_removed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_text(UNITS, encoding="utf-8")
    run("units", "import", tmp_path / "units.csv", "--yes")
    there = ("--unit", "SNV", *KEEPER, "--by", "Phan Thị Vận Hành")
    assert run("mailboxes", "add", BOX, *there)[:2] == (0, f"mailbox {BOX} added\n")
    assert (
        run("mailboxes", "add", BOX, *there)[2]
        == f"ngomon: {BOX} is a mailbox or somebody's address already\n"
    )
    assert run("mailboxes", "add", "x", *there)[2] == "ngomon: not acceptable: address\n"
    listed = run("mailboxes", "list")[1]
    assert (
        all(words in listed for words in (BOX, "SNV", "000******001", "nobody"))
        and "000090000001" not in listed
    )
    assert run("mailboxes", "keeper", BOX, "--keeper", "000090000002")[1] == f"keeper of {BOX} named\n"
    assert run("mailboxes", "remove", BOX)[1] == f"mailbox {BOX} removed\n"
    assert run("mailboxes", "remove", BOX)[2] == f"ngomon: no mailbox {BOX}\n"
