"""axe on every page of the route table, as whoever comes to it first sees it: two themes, two languages, two widths.

The province is the one of `tests/workspace/lived_in.py` in plain words. `--photos FOLDER` keeps a picture of each view.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections import Counter as Tally
from pathlib import Path
from typing import Any, NamedTuple

from playwright.async_api import Browser, BrowserContext, Page

from bench.results import record
from tests.parts.browser import axe, chromium
from tests.parts.processes import scratch
from tests.service import running
from tests.workspace.counter import Counter, at_the_only_desk
from tests.workspace.everywhere import Seen, everywhere
from tests.workspace.lived_in import Lived, lived_in
from tests.workspace.office import Office, Somebody

SIZES = ({"width": 1280, "height": 900}, {"width": 360, "height": 740})
SAID = {
    "reason": "Quyết định bổ nhiệm chưa có hiệu lực, đề nghị gửi lại sau ngày 15",
    "return": "Chưa ghi số quyết định. Đề nghị bổ sung",
    "note": "Theo Quyết định số 15/QĐ-UBND ngày 02/11/2026",
    "why": "Mã cán bộ chưa đúng, đề nghị kiểm tra lại",
    "bulk": "Chưa đến đợt tuyển dụng",
    "system": "Hệ thống quản lý văn bản",
    "subject": "Không ký số được trên trang dịch vụ công",
    "text": "Tôi cắm USB ký số thì trang báo lỗi chứng thư, đã thử trên hai máy.",
    "answer": "Anh chị hãy cập nhật phần mềm ký số rồi thử lại.",
    "renamed": "Sở Tài chính – Kế hoạch",
    "q": "nguyễn",
    "decision": "12/QĐ-SNV",
}
CHOICE = re.compile(r"[?&](?:lang|theme|keys)=")
PATIENCE = 120_000  # ms: the front page holds four others, and the machine may be busy
FAMILIES = ("Nguyễn Thị Minh", "Trần Quốc", "Lê Hữu", "Phạm Thị Thu", "Hoàng Đức", "Tôn Nữ Quỳnh", "Đặng Văn")
GIVEN = ("Hà", "Bảo", "Châu", "Dương", "Giang", "Khánh", "Lan", "Mai", "Phương", "Thảo", "Vinh")


class State(NamedTuple):
    """How a page is looked at, beside its width."""

    lang: str
    theme: str


STATES = (State("vi", "light"), State("en", "dark"), State("vi", "dark"), State("en", "light"))


def plain(field: str, most: int) -> str:
    """What somebody would write there; a name where it is somebody's."""
    if "code" in field:
        return f"CB{sum(map(ord, field)):06d}"[:most]
    number = sum(map(ord, field))
    name = f"{FAMILIES[number % len(FAMILIES)]} {GIVEN[number % len(GIVEN)]}"
    if field.startswith("unit "):
        name = {"TP": "UBND thành phố", "NV": "Sở Nội vụ", "TC": "Sở Tài chính"}[field[5:7]]
    return SAID.get(field, name)[:most]


class Eyes:
    """Looks at one page after the other and remembers what was wrong."""

    def __init__(self, photos: Path | None, *, rules: bool) -> None:
        self.photos, self.rules = photos, rules
        self.faults, self.views = list[str](), 0

    async def look(self, page: Page, one: Seen, name: str, state: State) -> None:
        """A page in one language and theme, wide and narrow."""
        await page.goto(one.path)
        for size in SIZES:
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            shown = f"{name}-{state.lang}-{state.theme}-{size['width']}"
            self.views += 1
            found = await axe(page) if self.rules else []
            wide = await page.evaluate("document.documentElement.scrollWidth")
            found += [f"it is {wide} wide"] if wide > size["width"] else []
            for fault in found:
                print(f"{shown} {one.path}: {fault}", flush=True)
                self.faults.append(f"{shown} {one.path}: {fault}")
            if self.photos:
                await page.screenshot(path=self.photos / f"{shown}.png", full_page=True)


async def signed_in(browser: Browser, office: Office, who: Somebody | None, state: State) -> BrowserContext:
    """A browser of this person that is set to a language and a theme."""
    context = await browser.new_context(base_url=office.service.url, color_scheme=state.theme)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    chosen = {"lang": state.lang, "theme": state.theme}
    if who is not None:
        chosen["ngomon"] = await office.token_of(who)
    await context.add_cookies(
        [{"name": name, "value": value, "url": office.service.url} for name, value in chosen.items()]
    )
    return context


def chosen(seen: list[Seen], lived: Lived, only: list[str]) -> list[tuple[str, Seen]]:
    """Each page of the route table once, and what stands in `lived.more`; with a name for its pictures."""
    once: dict[str, Seen] = {}
    for one in seen:
        if CHOICE.search(one.path):  # it would change what the reader has chosen
            continue
        once.setdefault(one.path if one.path in lived.more else one.route, one)
    named, times = [], Tally[str]()
    for one in once.values():
        who = "nobody" if one.who is None else f"p{lived.people.index(one.who)}"
        base = re.sub(r"\W+", "-", re.sub(r"\{(\w+):\w+\}", r"\1", one.route)).strip("-") or "front"
        times[f"{base}-{who}"] += 1
        name = f"{base}-{who}-{times[f'{base}-{who}']}"
        if not only or any(word in name for word in only):
            named.append((name, one))
    return named


async def measure(eyes: Eyes, only: list[str]) -> dict[str, Any]:
    """Everything in every state."""
    started = time.monotonic()
    url = f"sqlite+aiosqlite:///{scratch('bench-looks') / 'bench.db'}"
    async with running(url) as service, chromium() as browser:
        office = Office(service)
        await office.open()
        clerk = await at_the_only_desk(office)
        counter = Counter((await office.desk(clerk)).http)
        lived = await lived_in(office, clerk, counter, plain)
        await counter.http.aclose()
        seen, missing = await everywhere(service, lived)
        pages = chosen(seen, lived, only)
        for state in STATES:
            for who in (*lived.people, None):
                context = await signed_in(browser, office, who, state)
                page = await context.new_page()
                for name, one in pages:
                    if one.who is who:
                        await eyes.look(page, one, name, state)
                await context.close()
    routes = {one.route for _, one in pages}
    figures = {"routes": len(routes), "missing": sorted(missing), "pages": len(pages), "views": eyes.views}
    seconds = round(time.monotonic() - started)
    return figures | {"seconds": seconds, "faults": len(eyes.faults), "found": eyes.faults}


def main(words: list[str]) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench looks", description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder for pictures of every state")
    parser.add_argument("--no-axe", action="store_true", help="pictures and widths alone")
    parser.add_argument("--only", nargs="*", default=[], help="pages whose name has one of these words")
    given = parser.parse_args(words)
    if given.photos:
        given.photos.mkdir(parents=True, exist_ok=True)
    record("looks", **asyncio.run(measure(Eyes(given.photos, rules=not given.no_axe), given.only)))
