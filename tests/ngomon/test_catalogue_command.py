"""`ngomon catalogue`: shown, checked, brought into force, written; and a province that changes its own (rule 602)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from backend.facts import Operator
from backend.imports.rows import records
from backend.outbox import systems
from backend.roles import desired, managers, units
from backend.roles.catalogue.in_force import read_file, shipped
from ngomon import cli
from tests import databases
from tests.conftest import DATABASES
from tests.mobile_api.test_roles import approve
from tests.ngomon.test_operators import ACCOUNT, operators
from tests.ngomon.test_role_commands import Run, run
from tests.phone import Phone
from tests.service import Service, running

__all__ = ["run"]
HEADMASTER = """
[[positions]]
code = "hieu_truong"
label = "Hiệu trưởng"
label_en = "Headmaster"
subject_types = ["vien_chuc"]
leading = true
"""
SALARY = """
[[subject_types.fields]]
name = "salary_step"
label = "Bậc lương"
label_en = "Salary step"
type = "select"
required = true
personal = true
options = [{ value = "1", label = "Bậc 1", label_en = "Step 1" }]
"""


@pytest.fixture
def exported(run: Run, tmp_path: Path) -> Path:
    file = tmp_path / "catalogue.toml"
    assert run("catalogue", "export", file)[:2] == (
        0,
        f"catalogue, version 0, as shipped written to {file}\n",
    )
    return file


def test_what_is_exported_is_checked_and_found_unchanged(run: Run, exported: Path) -> None:
    assert read_file(exported.read_bytes()).catalogue == shipped()
    code, out, err = run("catalogue", "check", exported)
    assert (code, err) == (0, "") and "4 subject types, 29 positions, 5 grants" in out
    assert run("catalogue", "import", exported)[:2] == (
        0,
        "0 entries created, 0 updated, 0 ended, 57 unchanged\n",
    )
    assert operators() == [], "and nothing has happened"
    code, _, err = run("catalogue", "export", exported)
    assert code == 1 and "is there already" in err
    code, out, _ = run("catalogue", "show")
    assert code == 0 and read_file(out.encode()).catalogue == shipped()
    assert out.startswith("# catalogue, version 0, as shipped\n")


def test_a_file_is_checked_without_a_database(
    run: Run, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NGOMON_DATABASE_URL", "sqlite+aiosqlite:////nowhere/at/all.db")
    assert run("catalogue", "check", exported)[0] == 0


def test_every_error_has_its_line_table_entry_key_and_remedy(run: Run, exported: Path) -> None:
    text = (
        exported.read_text()
        .replace('label_en = "Driver"\n', "")
        .replace("leading = true", "leader = true", 1)
    )
    exported.write_text(text)
    for words in (("check",), ("import", "--yes"), ("import", "--dry-run")):
        code, out, err = run("catalogue", *words, exported)
        assert code == 1 and "2 errors; nothing was imported" in err
        first, second = out.splitlines()
        line = text.splitlines().index(
            'code = "lai_xe"'
        )  # the line above, counted from one: where the entry begins
        assert first.startswith(f"line {line}, [[positions]] lai_xe, label_en: key_missing: Thiếu khóa này")
        assert "thêm khóa vào mục · This key is missing" in first and first.endswith(
            "add the key to the entry"
        )
        assert "[[positions]] giam_doc, leader: unknown_key: Mục này không có khóa ấy" in second
    assert operators() == []
    code, _, err = run("catalogue", "check", exported.with_name("none.toml"))
    assert code == 1 and "cannot be read" in err


def test_what_exists_is_changed_only_after_a_yes_and_the_journal_says_who(run: Run, exported: Path) -> None:
    exported.write_text(exported.read_text().replace('label = "Lái xe"', 'label = "Lái xe cơ quan"'))
    code, out, err = run("catalogue", "import", exported)
    assert code == 1 and "say --yes" in err
    line = exported.read_text().splitlines().index('code = "lai_xe"')
    assert f"  line {line}, positions lai_xe: label: Lái xe → Lái xe cơ quan" in out.splitlines()
    assert run("catalogue", "import", exported, "--dry-run")[:2] == (0, out)
    code, out, err = run("catalogue", "import", exported, "--yes", "--by", "Lê Văn An")
    assert (code, err) == (0, "")
    assert out == "version 1 in force: 0 entries created, 1 updated, 0 ended, 56 unchanged\n"
    assert operators() == [("catalogue.imported", Operator(ACCOUNT, "Lê Văn An"))]
    assert run("audit", "verify")[0] == 0
    assert "Lái xe cơ quan" in run("catalogue", "show")[1]
    assert read_file(run("catalogue", "show", "--version", "0")[1].encode()).catalogue == shipped()
    code, _, err = run("catalogue", "show", "--version", "7")
    assert code == 1 and "there is no version 7" in err


def test_what_is_only_added_needs_no_yes(run: Run, exported: Path) -> None:
    exported.write_text(exported.read_text() + HEADMASTER)
    code, out, _ = run("catalogue", "import", exported)
    assert (code, out) == (0, "version 1 in force: 1 entries created, 0 updated, 0 ended, 57 unchanged\n")


@pytest_asyncio.fixture(params=DATABASES, loop_scope="session")
async def province(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A running installation of its own: its catalogue is nobody else's."""
    if request.param == "sqlite":
        url = databases.sqlite(tmp_path)
    else:
        url = databases.postgres(request.getfixturevalue("postgres"), "province")
    async with running(url) as service:
        yield service


class Operating:
    """An operator beside the server: each command on a thread of its own, and the first a process of its own."""

    def __init__(
        self, service: Service, environ: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]
    ) -> None:
        settings = service.app.settings
        self._environ, self._said, self._first = environ, said, True
        environ.setenv("NGOMON_DATABASE_URL", settings.database_url)
        environ.setenv("NGOMON_SECRET_KEYS", settings.secret_keys)

    async def __call__(self, *words: str | Path) -> str:
        if self._first:
            self._first = False
            command = (sys.executable, "-m", "ngomon", *map(str, words))
            process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
            out, err = await process.communicate()
            assert process.returncode == 0, err.decode()
            return out.decode()
        self._said.readouterr()
        self._environ.setattr("sys.argv", ["ngomon", *map(str, words)])
        code = await asyncio.to_thread(_ended)
        told = self._said.readouterr()
        assert code == 0, told.err
        return told.out


def _ended() -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


async def connected(service: Service) -> str:
    """A unit with a manager, and a system that is told of it; the manager's number."""
    boss, now = service.person("Lê Thị Chi"), service.clock.now()
    name, stand_in = next(iter(service.stand.systems.items()))
    row = {
        "code": "P-THCS",
        "name": "Trường mẫu",
        "parent_code": "",
        "agency_code": "H57.99",
        "kind": "truong",
    }
    async with service.db.write() as tx:
        await units.bring_in(tx, service.kit, records([row]), by=None, now=now)
        await managers.add(tx, service.kit, "P-THCS", boss.national_id, by=None, now=now)
        await systems.add(
            tx,
            service.kit,
            name="Văn bản",
            kind="scim",
            url=service.stand.system_url(name),
            token=stand_in.token,
            unit_codes=[],
            people=desired.people_in_scope,
            by=None,
            now=now,
        )
    await service.sign_in(boss)
    return boss.national_id


async def in_group(service: Service, group: str) -> list[str]:
    """Who is in a group of the stand-in system."""
    found: list[dict[str, Any]] = (await service.http.get("/demo/systems.json")).json()["items"]
    people = found[0]["people"]
    return [one["name"] for one in people if one["active"] and group in one["groups"]]


async def until_in(service: Service, group: str, wanted: list[str]) -> None:
    for _ in range(200):
        if await in_group(service, group) == wanted:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{group}: {await in_group(service, group)}")


ASKED: dict[str, Any] = {
    "kind": "register",
    "subject_type": "vien_chuc",
    "position": "hieu_truong",
    "unit": "P-THCS",
    "fields": {},
}


async def offered(phone: Phone) -> list[dict[str, Any]]:
    """The positions that a public employee may ask for."""
    found: list[dict[str, Any]] = (await phone.call("GET", "/v1/positions?subject_type=vien_chuc")).json()[
        "items"
    ]
    return found


async def ask_for_the_new_post(phone: Phone) -> str:
    """What the app shows of the province's own post and field, and the request for it."""
    kinds = {one["code"]: one for one in (await phone.call("GET", "/v1/subject-types")).json()["items"]}
    shown = next(one for one in kinds["vien_chuc"]["fields"] if one["name"] == "salary_step")
    assert (shown["label"], shown["required"]) == ("Bậc lương", True)
    assert shown["options"] == [{"value": "1", "label": "Bậc 1"}]
    post = {"code": "hieu_truong", "label": "Hiệu trưởng", "subject_types": ["vien_chuc"]}
    assert post in await offered(phone)
    english = await phone.call("GET", "/v1/positions", **{"Accept-Language": "en"})
    assert "Headmaster" in {one["label"] for one in english.json()["items"]}
    missing = await phone.call("POST", "/v1/role-requests", ASKED)
    assert [one["field"] for one in missing.json()["errors"]] == ["fields.salary_step"]
    made = await phone.call("POST", "/v1/role-requests", ASKED | {"fields": {"salary_step": "1"}})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.mark.asyncio(loop_scope="session")
async def test_r39_a_province_changes_a_post_a_form_and_a_grant_without_a_programmer(
    province: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ngomon = Operating(province, monkeypatch, capfd)
    file, boss = tmp_path / "catalogue.toml", await connected(province)
    phone = await province.sign_in(province.person("Trần Thị Bình"))
    early = await phone.call("POST", "/v1/role-requests", ASKED)
    assert early.status_code == 422 and early.json()["errors"][0]["code"] == "unknown_position"
    await ngomon("catalogue", "export", file)
    text = file.read_text() + HEADMASTER
    place = text.index('\n[[subject_types]]\ncode = "nguoi_lao_dong"')  # so it belongs to vien_chuc above it
    file.write_text(text[:place] + SALARY + text[place:])
    made = await ngomon("catalogue", "import", file, "--yes", "--by", "Lê An")
    assert made.startswith("version 1 in force")
    await approve(province, await ask_for_the_new_post(phone), boss)
    province.pass_time(seconds=11)
    await until_in(province, "Người dùng nội bộ", ["Trần Thị Bình"])
    assert await in_group(province, "Lãnh đạo") == []
    head, _, tail = file.read_text().rpartition('code = "hieu_truong"')
    file.write_text(head + 'code = "hieu_truong"\ngrants = ["leader"]' + tail)
    plan = await ngomon("catalogue", "import", file, "--dry-run")
    assert "hệ thống Văn bản: được báo lại về 1 người · system Văn bản: told anew of 1 person" in plan
    told = await ngomon("catalogue", "import", file, "--yes")
    assert "Văn bản: 1 people told anew" in told
    await until_in(province, "Lãnh đạo", ["Trần Thị Bình"])
    file.write_text(head.rpartition("\n[[positions]]")[0] + "\n")
    assert "1 ended" in await ngomon("catalogue", "import", file, "--yes")
    assert "hieu_truong" not in {one["code"] for one in await offered(phone)}, "closed for others"
    assert (await phone.call("GET", "/v1/roles")).json()["items"][0]["position"] == "hieu_truong"
    assert await in_group(province, "Lãnh đạo") == ["Trần Thị Bình"], "and kept by whoever has it"
    again = tmp_path / "again.toml"
    await ngomon("catalogue", "export", again)
    assert "0 entries created, 0 updated, 0 ended" in await ngomon("catalogue", "import", again)
