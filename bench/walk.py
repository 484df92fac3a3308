"""A queue emptied by a manager: by keys, by mouse, many at once, on a phone, without scripts; presses and seconds.

Nobody reads here, so the seconds are what the pages take; a person's reading comes on top and is the same in each way.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Browser, Page, expect

from bench.results import record
from tests.parts.browser import chromium
from tests.parts.processes import scratch
from tests.service import running
from tests.workspace.glass import at
from tests.workspace.office import Office

WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
Walk = Callable[[Page, list[str]], Awaitable[int]]


async def by_keys(page: Page, names: list[str]) -> int:
    """Down to the first row, into it, and one key for each."""
    await page.keyboard.press("j")
    await expect(
        page.locator("a[data-row]").first
    ).to_be_focused()  # a script that comes late hears the key late
    await page.keyboard.press("Enter")
    for name in names:
        await expect(page.locator("h1")).to_contain_text(name)
        await page.keyboard.press("1")
    await expect(page.get_by_text("Bạn đã xử lý hết yêu cầu")).to_be_visible()
    return 2 + len(names)


async def by_pointer(page: Page, names: list[str]) -> int:
    """The first row, then the same button again and again."""
    await page.locator("a[data-row]").first.click()
    for name in names:
        await expect(page.locator("h1")).to_contain_text(name)
        await page.get_by_role("button", name="Phê duyệt").click()
    await expect(page.locator('form[action$="/decision"]')).to_have_count(
        0
    )  # an undo may be of the word before
    await expect(page.locator("button[data-undo]")).to_be_visible()
    return 1 + len(names)


async def many_at_once(page: Page, names: list[str]) -> int:
    """A page of them at a time; of people whom the directory knows as they are."""
    presses = 0
    while presses < len(names):
        await page.goto("/workspace")
        if not await page.locator("[data-all]").count():
            break
        await page.locator("[data-all]").check()
        await page.get_by_role("button", name="Phê duyệt đã chọn").click()
        await expect(page.get_by_role("button", name="Hoàn tác tất cả")).to_be_visible()
        presses += 3
    return presses


WAYS: dict[str, tuple[Walk, dict[str, Any], bool]] = {
    "keyboard": (by_keys, WIDE, False),
    "mouse": (by_pointer, WIDE, False),
    "phone": (by_pointer, PHONE, False),
    "no scripts": (by_pointer, WIDE | {"java_script_enabled": False}, False),
    "many at once": (many_at_once, WIDE, True),
}


async def walked(office: Office, browser: Browser, way: str, count: int) -> dict[str, Any]:
    """One way, over a queue of its own."""
    walk, options, listed = WAYS[way]
    names = [f"Người Xin {way} {number:02d}" for number in range(count)]
    asked = [await office.asks(name, listed=listed) for name in names]
    async with at(office, browser, **options) as context:
        page = await context.new_page()
        await page.goto("/workspace")
        began = time.perf_counter()
        presses = await walk(page, names)
        seconds = time.perf_counter() - began
        await page.goto("/workspace")
        shown = await page.content()
        left = sum(str(one) in shown for one in asked)
    assert not left, f"{left} are left"
    return {
        "way": way, "requests": count, "presses": presses, "seconds": round(seconds, 1),
        "seconds_each": round(seconds / count, 2), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


async def measured(count: int, ways: list[str]) -> None:
    """One installation for all of them."""
    url = f"sqlite+aiosqlite:///{scratch('bench-walk') / 'bench.db'}"
    async with running(url) as service, chromium() as browser:
        for way in ways:
            office = Office(service)
            await office.open()
            record("walk", **await walked(office, browser, way, count))


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench walk", description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS))
    asked = parser.parse_args(words)
    asyncio.run(measured(asked.count, asked.ways))
