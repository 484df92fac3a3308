"""A real browser, and the accessibility rules that every page has to keep."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.parts.processes import ROOT

FLAGS = (
    "--no-sandbox",  # the tests may run as root, where Chromium's sandbox does not start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PATIENCE = 30_000  # ms: a busy machine may take its time to draw
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The machine's Chromium, or the one that Playwright brought."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), headless=True, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


def program() -> str | None:
    """The machine's Chromium, if it has one."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


async def axe(page: Page) -> list[str]:
    """What axe-core finds wrong on the page as it stands; one line per fault, and none is the goal.

    It is evaluated, not added as a script, so that the page's content security policy stays as it is.
    """
    await page.evaluate(_axe_source())
    rules = {"runOnly": {"type": "tag", "values": list(RULES)}, "resultTypes": ["violations"]}
    answer: dict[str, Any] = await page.evaluate("rules => axe.run(document, rules)", rules)
    return [_line(violation) for violation in answer["violations"]]


def _line(violation: dict[str, Any]) -> str:
    places = "; ".join(str(node["html"])[:160] for node in violation["nodes"])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {places}"


@cache
def _axe_source() -> str:
    return (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
