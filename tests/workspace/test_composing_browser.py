"""Vietnamese is composed while it is typed: no letter of it is a shortcut, and what was written arrives whole (rule 820).

Telex writes marks with letters that are keys here (x, z, h, j). An input method of the system composes under key code
229; UniKey deletes and types again. Chromium's own protocol plays both.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, CDPSession, expect

from tests.workspace.glass import at
from tests.workspace.office import Office

# what a browser types does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
OLD_PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
SLOWER, SLOW_NET = (
    6,
    {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 50_000},
)


async def pressed_while_composing(typist: CDPSession, code: str) -> None:
    """What a browser tells of a key that the system's input method takes for itself."""
    for kind in ("rawKeyDown", "keyUp"):
        key = {"type": kind, "key": "Process", "code": code, "windowsVirtualKeyCode": 229}
        await typist.send("Input.dispatchKeyEvent", key)


async def composed(typist: CDPSession, *steps: str) -> None:
    """A word as Telex makes it, letter by letter, until it stands."""
    for step in steps:
        await typist.send(
            "Input.imeSetComposition", {"text": step, "selectionStart": len(step), "selectionEnd": len(step)}
        )
    await typist.send("Input.insertText", {"text": steps[-1]})


async def test_letters_that_are_composed_decide_nothing_and_arrive_whole(
    office: Office, browser: Browser
) -> None:
    first, second = [await office.asks(f"Bùi Thị Telex {number}") for number in range(2)]
    async with at(office, browser, **OLD_PHONE) as context:
        page = await context.new_page()
        typist = await context.new_cdp_session(page)
        await typist.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await typist.send("Network.emulateNetworkConditions", SLOW_NET)
        await page.goto(f"/workspace/requests/{first}")
        for code in ("Digit1", "KeyH", "KeyJ"):
            await pressed_while_composing(typist, code)
        await page.get_by_role("button", name="Trả lại").tap()
        box = page.get_by_role("textbox", name="Lý do")
        await expect(box).to_be_focused()
        await composed(typist, "t", "th", "thi", "thie", "thiê", "thiêu", "thiếu")
        await page.keyboard.type(" so 1")
        for _ in range(4):  # UniKey: what was typed goes, and comes again with its marks
            await page.keyboard.press("Backspace")
        await page.keyboard.insert_text("số 12 xzhj")
        await expect(box).to_have_value("thiếu số 12 xzhj")
        assert page.url.endswith(f"/requests/{first}"), "nothing was decided meanwhile"
        await page.get_by_role("button", name="Trả lại").tap()
        await expect(page.locator("h1")).to_contain_text("Bùi Thị Telex 1")
        assert str(second) in page.url
        await page.goto(f"/workspace/requests/{first}")
        await expect(page.get_by_text("Lý do: thiếu số 12 xzhj")).to_be_visible()
