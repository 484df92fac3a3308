"""The app developers' page can be followed: each of its examples signs in as it stands there."""

from __future__ import annotations

import asyncio
import json
import re
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from uuid import UUID

import pytest

from backend.roles.models import RoleRequest
from demo.seed import seed
from tests.parts.processes import ROOT, node
from tests.service import running

DEMO = "http://127.0.0.1:8000"


def example(language: str, url: str) -> str:
    """The one example in a language, for a server at another address."""
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert DEMO in found
    return str(found).replace(DEMO, url)


async def test_the_api_pages_example_in_python_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path}/ngomon.db") as service:
        for _ in range(2):  # the first time with a phone and a code, then straight in
            await asyncio.to_thread(exec, example("python", service.url), {})
    assert capsys.readouterr().out.count("Nguyễn Thị An ['055****456'] []") == 2


async def test_d08_the_api_pages_script_approves_what_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path}/ngomon.db") as service:
        issuer = service.app.settings.vneid.issuer
        await seed(service.db, service.kit, service.stand, issuer=issuer, now=service.clock.now())
        await asyncio.to_thread(exec, example("py", service.url), {})
        granted = re.findall(r"^([0-9a-f-]{36}) 303$", capsys.readouterr().out, re.MULTILINE)
        async with service.db.read() as tx:
            decided = [await tx.get_one(RoleRequest, UUID(one)) for one in granted]
    assert decided and {one.status for one in decided} == {"approved"}


async def test_the_api_pages_example_with_curl_works(tmp_path: Path) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path}/ngomon.db") as service:
        script = "set -euo pipefail\n" + example("bash", service.url)
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(
                "bash", "-c", script, cwd=tmp_path, stdout=PIPE, stderr=PIPE
            )
            said, wrong = await process.communicate()
            assert process.returncode == 0, wrong.decode()
            assert json.loads(said)["phones"] == ["055****457"], said


async def test_the_api_pages_example_with_our_client_works(made: Path, tmp_path: Path) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path}/ngomon.db") as service:
        compiled = (made / "dist/index.js").as_posix()
        program = example("js", service.url).replace("./clients/typescript/dist/index.js", compiled)
        (tmp_path / "first.mjs").write_text(program, encoding="utf-8")
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(
                node(), tmp_path / "first.mjs", stdout=PIPE, stderr=STDOUT
            )
            said = (await process.communicate())[0].decode()
            assert process.returncode == 0 and "055****458" in said, said
