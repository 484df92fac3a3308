"""Lighthouse on the pages that people open most, as on its slow telephone: performance, accessibility, best practices.

It comes from npm into an environment of its own (bench/environments.py) and drives the machine's Chromium.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
from pathlib import Path
from typing import Any

from bench.environments import NotThere, node_with
from bench.looks import plain
from bench.results import record
from tests.parts.browser import program
from tests.parts.processes import scratch
from tests.service import running
from tests.workspace.counter import Counter, at_the_only_desk
from tests.workspace.lived_in import lived_in
from tests.workspace.office import Office

LIGHTHOUSE = ("lighthouse@13.5.0", "chrome-launcher@1.2.1")
SCRIPT = Path(__file__).parent / "peers" / "lighthouse.mjs"
BARS = (95, 100, 100)  # performance, accessibility, best practices


async def judged(folder: Path, address: str, cookie: str) -> dict[str, Any]:
    """What Lighthouse says of one page."""
    script = shutil.copy(SCRIPT, folder)
    words = ["node", script, program() or "chromium", address, *([cookie] if cookie else [])]
    asked = await asyncio.create_subprocess_exec(*words, cwd=folder, stdout=asyncio.subprocess.PIPE)
    said, _ = await asked.communicate()
    answer: dict[str, Any] = json.loads(said)
    return answer


async def pages(office: Office) -> dict[str, str]:
    """The pages by name, with something on each."""
    clerk = await at_the_only_desk(office)
    counter = Counter((await office.desk(clerk)).http)
    lived = await lived_in(office, clerk, counter, plain)
    await counter.http.aclose()
    request = next(path for path in lived.more if "/requests/" in path)
    paths = {"inbox": "", "request": request.removeprefix("/workspace"), "people": "/people"}
    paths |= {"journal": "/audit", "reports": "/reports"}
    return {"sign-in": "/workspace/login"} | {name: f"/workspace{path}" for name, path in paths.items()}


async def measure(rounds: int) -> dict[str, Any]:
    """Each page so many times; the scores in the middle, and what was named."""
    try:
        folder = await asyncio.to_thread(node_with, "lighthouse", LIGHTHOUSE)
    except NotThere as error:
        return {"not_there": str(error)}
    url = f"sqlite+aiosqlite:///{scratch('bench-lighthouse') / 'bench.db'}"
    figures: dict[str, Any] = {}
    async with running(url) as service:
        office = Office(service)
        await office.open()
        for name, path in (await pages(office)).items():
            cookie = "" if name == "sign-in" else f"ngomon={await office.token_of(office.chi)}"
            said = [await judged(folder, f"{service.url}{path}", cookie) for _ in range(rounds)]
            middle = [
                round(statistics.median(scores))
                for scores in zip(*(one["scores"] for one in said), strict=True)
            ]
            named = sorted({fault for one in said for fault in one["found"]})
            figures[name] = {"scores": middle, "address": said[0]["address"], "found": named}
    short = [
        name
        for name, one in figures.items()
        if any(s < bar for s, bar in zip(one["scores"], BARS, strict=True))
    ]
    return {"rounds": rounds, "below_the_bars": short, **figures}


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench lighthouse", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of which the middle counts")
    record("lighthouse", **asyncio.run(measure(parser.parse_args(words).rounds)))
