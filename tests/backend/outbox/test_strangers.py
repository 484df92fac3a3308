"""A kind of system that a package of somebody else's brings: connected, told, compared, and gone again (rule 715)."""

from __future__ import annotations

import asyncio
import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.crypto import new_secret_key
from backend.outbox import states, systems
from backend.outbox.models import System
from backend.outbox.reconcile import Comparison
from backend.outside.connectors import DeliveryError, Target, connect, kinds
from ngomon.commands.steering import TakingOut
from tests.backend.outbox.conftest import World
from tests.parts.command import Ended, environment
from tests.parts.processes import within
from tests.parts.strangers import KEY, drop, installed, present


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("strangers"))


@pytest.fixture
def strangers(site: Path) -> Iterator[None]:
    with present(site):
        yield


def ngomon(folder: Path, *words: str, site: Path) -> subprocess.CompletedProcess[str]:
    """The command as an operator types it, in a process that finds the package by its own path of modules."""
    own = environment(folder) | {"PYTHONPATH": str(site)}
    program = [sys.executable, "-m", "ngomon", *words]
    return subprocess.run(program, env=own, capture_output=True, text=True, check=False)


def test_a_kind_that_nobody_installed_is_refused_in_one_line_and_one_that_somebody_did_is_there(
    tmp_path: Path, site: Path, ended: Ended
) -> None:
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    assert ended("migrate", **keys)[0] == 0
    folder = drop(tmp_path)
    words = ("systems", "add", "kho", "--kind", "csv-drop", "--url", f"file://{folder}", "--token", KEY)
    assert ended(*words, **keys) == (
        1,
        "",
        "ngomon: connector 'csv-drop' is not installed yet; there is: scim, ldap, webhook\n",
    )
    listed = ngomon(tmp_path, "connectors", "list", site=site)
    assert "csv-drop" in listed.stdout and "ngomon-csv-drop 1.0" in listed.stdout
    with present(site):
        code, _, err = ended(*words[:5], "--url", f"file://{tmp_path}", "--token", KEY, **keys)
        assert (code, err.count("\n")) == (1, 1) and "no file ngomon-drop" in err
        _, out, err = ended(*words, **keys)
        assert out.startswith("kho connected"), err
    _, out, err = ended("doctor", **keys)  # whoever takes the package away reads why nothing arrives
    assert "connector 'csv-drop' is not installed yet" in out + err


def test_o25_a_command_proves_a_connector_with_people_whom_nobody_is(
    tmp_path: Path, site: Path, ended: Ended
) -> None:
    folder = drop(tmp_path)
    words = ("connectors", "prove", "--kind", "csv-drop", "--url", f"file://{folder}", "--token", KEY)
    proved = ngomon(tmp_path, *words, site=site)
    assert proved.returncode == 0, proved.stdout + proved.stderr
    assert "ok      arrives: A new person arrives whole" in proved.stdout
    assert "-       away_is_of_the_system" in proved.stdout
    assert "yes" not in {_cell(file, "active") for file in folder.glob("*.csv")}
    (folder / "ngomon-drop").unlink()
    with present(site):
        code, _, err = ended(*words)
    assert (code, err.count("\n")) == (1, 1)


def _cell(file: Path, column: str) -> str:
    with file.open(encoding="utf-8", newline="") as lines:
        (row,) = csv.DictReader(lines)
    return row[column]


async def dropping(world: World, folder: Path) -> System:
    return await world.system(f"file://{folder}", kind="csv-drop", token=KEY)


async def test_what_was_decided_is_dropped_and_what_a_hand_has_changed_is_healed(
    world: World, strangers: None, tmp_path: Path
) -> None:
    folder = drop(tmp_path)
    system, account = await dropping(world, folder), await world.person()
    comparison = Comparison(world.db, world.kit, world.desired, world.people, world.clock, world.http)
    async with world.working():
        await world.decide(account, system, title="Trưởng phòng")
        await world.until(account, "synced")
        file = folder / f"{account}.csv"
        assert _cell(file, "title") == "Trưởng phòng"
        file.write_text(
            file.read_text(encoding="utf-8").replace("Trưởng phòng", "Giám đốc"), encoding="utf-8"
        )
        found = [finding async for finding, _ in comparison.run(await world.system_now(system))]
        assert [finding.kind for finding in found] == ["missing"]  # what is not signed is not there
        async with within(20, "the file as it was"):
            while _cell(file, "title") != "Trưởng phòng":
                await asyncio.sleep(0.05)
        await world.until(account, "synced")
        found = [finding async for finding, _ in comparison.run(await world.system_now(system))]
        assert [finding.kind for finding in found] == ["same"]


async def test_a_share_that_is_not_mounted_parks_nobody(
    world: World, strangers: None, tmp_path: Path
) -> None:
    folder = drop(tmp_path)
    system, account = await dropping(world, folder), await world.person()
    (folder / "ngomon-drop").unlink()
    async with world.working():
        await world.decide(account, system)
        async with within(20, "a failure"):
            while not (rows := await world.deliveries(account))[0].error:
                await asyncio.sleep(0.03)
        assert (rows[0].state, rows[0].error) == ("pending", "folder_away")
        (folder / "ngomon-drop").touch()
        world.pass_time(seconds=400)
        await world.until(account, "synced")


async def test_where_the_package_is_gone_pages_go_on_and_nothing_is_lost(
    world: World, site: Path, tmp_path: Path
) -> None:
    folder = drop(tmp_path)
    system, account = await dropping(world, folder), await world.person()
    async with world.db.read() as tx:
        (seen,) = await states.overview(tx, world.clock.now())
    assert seen.learnt == ["no_read_back"]  # nobody is there to ask it
    async with world.working():
        await world.decide(account, system)
        async with within(20, "a failure"):
            while not (rows := await world.deliveries(account))[0].error:
                await asyncio.sleep(0.03)
        assert (rows[0].state, rows[0].error) == ("pending", "connector_missing")
        with present(site):
            world.pass_time(seconds=400)
            await world.until(account, "synced")


async def test_who_is_out_of_a_system_that_is_taken_away_is_out_though_the_next_does_not_get_out(
    world: World, strangers: None, tmp_path: Path
) -> None:
    folder = drop(tmp_path)
    system = await dropping(world, folder)
    first, second = [await world.person() for _ in range(2)]
    async with world.working():
        for account in (first, second):
            await world.decide(account, system)
            await world.until_version(account, 1)
    async with world.db.write() as tx:
        await systems.disable(tx, world.kit, system.name, by=None, now=world.clock.now())
    (folder / f"{second}.csv").unlink()
    (folder / f"{second}.csv").mkdir()  # nothing can be written there
    connector = await connect("csv-drop", Target(system.url, KEY), world.http)
    leaving = TakingOut(world.db, world.kit, await world.system_now(system))
    with pytest.raises(DeliveryError, match="folder_away"):
        await leaving.run(connector)
    assert leaving.taken == 1
    assert [(await world.link(account)).delivered_version for account in (first, second)] == [0, 1]


BROKEN = {
    "raises at its import": (
        "raise OSError('no such licence')",
        "cannot be loaded: OSError: no such licence",
    ),
    "is no connector": ("KIND = None", "lacks check, connect"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_package_that_is_broken_is_named_and_breaks_nothing_else(tmp_path: Path, how: str) -> None:
    program, said = BROKEN[how]
    (tmp_path / "odd_connector.py").write_text(program, encoding="utf-8")
    named = tmp_path / "odd-2.0.dist-info"
    named.mkdir()
    (named / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 2.0\n", encoding="utf-8")
    lines = "odd = odd_connector\nscim = odd_connector\nmuch-too-long = odd_connector\n"
    (named / "entry_points.txt").write_text(f"[ngomon.connectors]\n{lines}", encoding="utf-8")
    with present(tmp_path):
        with pytest.raises(kinds.ConnectorMissing) as refused:
            kinds.load("odd")
        assert str(refused.value) == f"connector 'odd' (odd 2.0) {said}"
        with pytest.raises(kinds.ConnectorMissing, match="no name that can be kept"):
            kinds.load("much-too-long")
        assert (
            kinds.load("scim").__name__ == "backend.outside.connectors.scim"
        )  # nobody takes the name of ours
        assert kinds.kinds() == ["scim", "ldap", "webhook", "much-too-long", "odd"]
    sys.modules.pop("odd_connector", None)
