"""A directory that says a few entries at once says all of them page by page (RFC 2696)."""

from __future__ import annotations

import subprocess

import msgspec
import pytest

from backend.outside.connectors import GroupRef
from backend.outside.connectors.ldap import pages
from tests.backend.outside.errands import mine
from tests.backend.outside.ldap_people import connected, somebody
from tests.parts.directory import BASE, Directory

UNITS = [
    GroupRef(f"H57.{number:02}", f"Phòng {number}") for number in range(1, 8)
]  # the directory says three
LIMITED = msgspec.json.encode({"bind_dn": f"cn=paged,{BASE}", "base_dn": BASE}).decode()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)


async def test_every_right_is_found_and_taken_though_the_directory_cuts_what_it_says_at_once(
    directory: Directory,
) -> None:
    connector = await connected(directory, options=LIMITED)
    wanted = somebody(groups=UNITS, unit_code=UNITS[0].external_id)
    await connector.apply(wanted, None, mine)
    rights = await connector.rights()
    assert {right.group for right in rights.ours} == {unit.external_id for unit in UNITS}
    held = await connector.read(wanted.external_id, None)
    assert held is not None and len(held.groups) == len(UNITS)
    await connector.apply(somebody(wanted.external_id, active=False), None, mine)
    assert (await connector.rights()).ours == []


async def test_without_pages_the_same_question_is_cut(directory: Directory) -> None:
    connector = await connected(directory)
    await connector.apply(somebody(groups=UNITS), None, mine)
    assert listed(directory) == (4, True)


def listed(directory: Directory) -> tuple[int, bool]:
    """What the same question comes to without pages."""
    who = ("-x", "-H", directory.url, "-D", f"cn=paged,{BASE}", "-w", directory.password, "-b", BASE)
    asked = ["ldapsearch", *who, "(objectClass=groupOfNames)"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.returncode, "Size limit exceeded" in done.stdout
