"""What the inbox's first visit weighs with 25 rows, counted by Chromium itself (CDP), and axe on every page.

"On the wire" is what Chromium received, headers included; "packed" is every body as gzip would send it.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
from typing import Any

from playwright.async_api import Browser, Response

from backend.roles import queue
from bench.results import record
from tests.parts.browser import axe, chromium
from tests.parts.processes import scratch
from tests.service import running
from tests.workspace.glass import at
from tests.workspace.office import Office

ROWS = 25
THEMES = ("light", "dark")
DEMO = ("/", "/demo/phone", "/demo/phone?device=2", "/demo/inbox", "/demo/systems", "/demo/eid")
SIZES = ({"width": 1200, "height": 850}, {"width": 360, "height": 740})


async def weigh(office: Office, browser: Browser) -> dict[str, Any]:
    """One first visit in a fresh browser: requests and bytes."""
    received: dict[str, float] = {}
    answers: list[Response] = []
    async with at(office, browser) as context:
        page = await context.new_page()
        wire = await context.new_cdp_session(page)
        await wire.send("Network.enable")
        wire.on(
            "Network.loadingFinished",
            lambda event: received.update({event["requestId"]: event["encodedDataLength"]}),
        )
        page.on("response", lambda response: answers.append(response))  # noqa: PLW0108 - playwright marks the handler
        async with page.expect_response("**/workspace/events"):
            await page.goto("/workspace")
        await page.wait_for_load_state("load")
        await asyncio.sleep(0.5)
        rows = await page.locator("a[data-row]").count()
        bodies = [await answer.body() for answer in answers if not answer.url.endswith("/events")]
    return {
        "rows": rows,
        "requests": len(answers),
        "bytes_on_the_wire": int(sum(received.values())),
        "bytes_packed": sum(len(gzip.compress(body, 6)) for body in bodies),
        "paths": sorted(answer.url.removeprefix(office.service.url).split("/")[-1] for answer in answers),
    }


async def workspace_pages(office: Office) -> list[str]:
    """Every page that a manager sees, with something on it."""
    waiting = await office.asks("Nguyễn Thị Định", decision_number="1/QĐ")
    decided = await office.has_role("Lê Thị Riêng")
    async with office.service.db.read() as tx:
        chi, now = office.chi.account_id, office.service.clock.now()
        role = (await queue.people(tx, office.service.kit, chi, now=now)).items[0].role_id
    return [
        "/workspace",
        f"/workspace/requests/{waiting}",
        f"/workspace/requests/{decided}",
        "/workspace/people",
        f"/workspace/people/{role}/end",
        f"/workspace/people/{role}/transfer",
        "/workspace/systems",
        "/workspace/audit",
        "/workspace/nowhere",
        "/workspace/login",
    ]


async def faults_of(office: Office, browser: Browser, theme: Any) -> tuple[int, list[str]]:
    """Pages looked at, and what axe finds on each, wide and narrow."""
    faults: list[str] = []
    paths = [*await workspace_pages(office), *DEMO]
    async with at(office, browser, color_scheme=theme) as context:
        page = await context.new_page()
        await page.goto(f"/workspace?theme={theme}")
        for path in paths:
            await page.goto(path)
            for size in SIZES:
                await page.set_viewport_size(size)  # type: ignore[arg-type]
                faults += [f"{theme} {path} {size['width']}: {fault}" for fault in await axe(page)]
    return len(paths) * len(SIZES), faults


async def measure() -> dict[str, Any]:
    """Weight and faults."""
    url = f"sqlite+aiosqlite:///{scratch('bench-inbox') / 'bench.db'}"
    async with running(url) as service, chromium() as browser:
        office = Office(service)
        await office.open()
        for number in range(ROWS):
            await office.asks(f"Nguyễn Thị Thu Phương {number:02d}")
        figures = await weigh(office, browser)
        looked = 0
        faults: list[str] = []
        for theme in THEMES:
            count, found = await faults_of(office, browser, theme)
            looked += count
            faults += found
    return figures | {"axe_views": looked, "axe_violations": len(faults), "faults": faults}


def main(words: list[str]) -> None:
    """Command line."""
    argparse.ArgumentParser(prog="python -m bench inbox_weight", description=__doc__).parse_args(words)
    record("inbox_weight", **asyncio.run(measure()))
