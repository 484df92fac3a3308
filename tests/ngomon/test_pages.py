"""The operator's lists, page by page: the next one, the last one, and a place that is none (rule 912)."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from backend.db import Database, new_id
from backend.outside.clock import Clock, local_day
from backend.roles.reorganising.models import Reorganisation
from ngomon.commands import mailboxes, reorganise, support, systems, units
from tests.ngomon.test_role_commands import Run, file, run

__all__ = ["file", "run"]
UNITS = "code,name,parent_code\nSNV,Sở Nội vụ,-\nSNV-P,Phòng Một,SNV\nSTC,Sở Tài chính,-\n"
DESK = ("--mailbox", "hotro@hue.example", "--phone", "0234 3000 000")
# what tells the lines of a list apart, in its order
LISTS: dict[str, tuple[ModuleType, list[str]]] = {
    "units list": (units, ["Sở Nội vụ", "Phòng Một", "Sở Tài chính"]),
    "units list --tree": (units, ["Sở Nội vụ", "Phòng Một", "Sở Tài chính"]),
    "mailboxes list": (mailboxes, ["a@hue.example", "b@hue.example", "c@hue.example"]),
    "support desks list": (support, ["Đội Một", "Đội Hai", "Đội Ba"]),
    "support staff list": (support, ["000******001", "000******002", "000******003"]),
    "support staff list --desk D1": (support, ["000******001", "000******002", "000******003"]),
    "systems list": (systems, ["Văn thư A", "Văn thư B", "Văn thư C"]),
    "reorganise list": (reorganise, ["3/QĐ-UBND", "2/QĐ-UBND", "1/QĐ-UBND"]),
}
NOWHERE = {
    "units list": "a@hue.example",
    "mailboxes list": "SNV",
    "support desks list": "SNV",
    "systems list": "SNV",
}


async def _reorganisations() -> None:
    db = Database(os.environ["NGOMON_DATABASE_URL"])
    for number in "123":
        async with db.write() as tx:
            now = Clock().now()
            one = Reorganisation(id=new_id(), decision=f"{number}/QĐ-UBND", state="done", people=0)
            one.effective_on, one.started_at, one.plan = local_day(now), now, msgspec.json.encode({}).decode()
            tx.add(one)
        await asyncio.sleep(0.002)  # identifiers are in order of milliseconds
    await db.close()


@pytest.fixture
def three(run: Run, file: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Three lines in each of the lists, of which a page shows two."""
    monkeypatch.setenv("NGOMON_ALLOWED_PRIVATE_HOSTS", "203.0.113.7")
    done = [run("units", "import", file(UNITS))]
    for number, (desk, letter) in enumerate(zip(("Đội Một", "Đội Hai", "Đội Ba"), "abc", strict=True), 1):
        person = f"00009000000{number}"
        address = ("--url", f"https://203.0.113.7/{letter}", "--token", "t")
        done += [
            run("mailboxes", "add", f"{letter}@hue.example", "--unit", "SNV", "--keeper", person),
            run("support", "desks", "add", f"D{number}", "--name", desk, *DESK),
            run("support", "staff", "add", "--desk", "D1", "--national-id", person),
            run("systems", "add", f"Văn thư {letter.upper()}", "--kind", "scim", *address),
        ]
    assert {code for code, _, _ in done} == {0}, done
    asyncio.run(_reorganisations())
    for module, _ in LISTS.values():
        monkeypatch.setattr(module, "MOST", 2)
    return run


def _shown(run: Run, *words: str) -> list[str]:
    code, said, err = run(*words)
    assert (code, err) == (0, "")
    return said.splitlines()


def test_lists_go_on_page_by_page(three: Run) -> None:
    for name, (_, lines) in LISTS.items():
        first = _shown(three, *name.split())
        assert [one for one in lines if one in "".join(first[:-1])] == lines[:2], name
        assert first[-1].startswith("more: --after "), name
        last = _shown(three, *name.split(), *shlex.split(first[-1])[1:])
        assert [one for one in lines if one in "".join(last)] == lines[2:], name
        assert "more: " not in "".join(last), name


def test_a_list_that_fits_on_a_page_says_no_more(three: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (module, lines) in LISTS.items():
        monkeypatch.setattr(module, "MOST", 3)
        said = "\n".join(_shown(three, *name.split()))
        places = [said.index(one) for one in lines]
        assert places == sorted(places) and "more: " not in said, name


def test_a_place_that_is_none_is_refused_in_a_line(three: Run) -> None:
    ids = {
        name: shlex.split(_shown(three, *name.split())[-1])[-1]
        for name in LISTS
        if "staff" in name or "reorg" in name
    }
    other = {"support staff list": ids["reorganise list"], "reorganise list": ids["support staff list"]}
    for name, place in (NOWHERE | other).items():
        code, said, err = three(*name.split(), "--after", place)
        assert (code, said) == (1, ""), name
        assert err == "ngomon: --after is none of the places that this list has named\n", name
    for name in LISTS:
        code, said, err = three(*name.split(), "--after", "đâu đó")
        assert (code, said) == (1, "") and "--after" in err and err.count("\n") == 1, name
    elsewhere = ("support", "staff", "list", "--desk", "D2", "--after", ids["support staff list"])
    assert three(*elsewhere)[2].startswith("ngomon: --after is none of the places")


def test_a_list_goes_on_behind_what_has_gone_meanwhile(three: Run) -> None:
    gone = (
        ("mailboxes", "remove", "b@hue.example"),
        ("support", "staff", "remove", "--desk", "D1", "--national-id", "000090000002"),
        ("support", "desks", "remove", "D2"),
        ("units", "end", "SNV-P", "--successor", "STC", "--on", "01/01/2020"),
    )
    for words in gone:
        name = " ".join(words[: words.index("remove")] if "remove" in words else words[:1]) + " list"
        place = shlex.split(_shown(three, *name.split())[-1])[1:]
        assert three(*words)[0] == 0, words
        rest = "".join(_shown(three, *name.split(), *place))
        assert [one for one in LISTS[name][1] if one in rest] == LISTS[name][1][2:], name
