"""The log: one style of names, a sentence for each, a line for each request that is to leave one (O11, O20)."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

import pytest
from structlog.testing import capture_logs

from backend.limits import Limits
from ngomon.edge import Edge
from ngomon.events import SENTENCES
from scripts.events import Told, events_page, told

PLACES = list(told())


def test_o11_every_name_is_of_one_style_and_has_a_sentence() -> None:
    assert len(PLACES) > 30
    names = {place.event for place in PLACES}
    assert {name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)} == set()
    assert names == set(SENTENCES)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.event}-{place.where}")
def test_o11_a_sentence_names_only_what_its_line_holds(place: Told) -> None:
    wanted = {name for _, name, _, _ in Formatter().parse(SENTENCES[place.event]) if name}
    always = {place.event: wanted - set(place.fields)} if place.event not in {"request", "unhandled"} else {}
    several = {"database_trouble", "message_not_sent", "message_uncertain", "reconciled"}
    assert place.event in several or not any(always.values()), place


def test_o11_the_page_has_a_row_for_each() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", events_page(), re.MULTILINE)
    assert rows == sorted(SENTENCES)


class NoRoutes:
    """Every call is as long as another."""

    def said(self, _method: str, _path: str) -> Any:
        """Nothing of it."""


async def lines_of(log_reads: int, calls: int, *, method: str = "GET", status: int = 200) -> int:
    """How many lines so many calls leave."""
    return len(await paths_of(log_reads, calls, method=method, status=status))


async def paths_of(
    log_reads: int, calls: int, *, method: str = "GET", status: int = 200, path: str = "/v1/me"
) -> list[str]:
    """The path in each line that they leave."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(_message: Any) -> None:
        """Nobody listens."""

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def nobody(*_: Any) -> bool:
        return False

    routes: Any = NoRoutes()
    edge = Edge(
        app, Limits(), routes, proxies=0, public_url="http://x", has_answered=nobody, is_known=nobody, log_reads=log_reads,
    )  # fmt: skip
    scope: Any = {
        "type": "http", "method": method, "path": path, "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"x")],
    }  # fmt: skip
    with capture_logs() as lines:
        for _ in range(calls):
            await edge(dict(scope), receive, send)  # type: ignore[arg-type]
    return [line["path"] for line in lines if line["event"] == "request"]


async def test_o11_so_many_of_the_quick_reads_leave_a_line_and_every_failure() -> None:
    assert await lines_of(0, 50) == 0
    assert await lines_of(100, 50) == 50
    assert 20 < await lines_of(10, 1000) < 250
    assert await lines_of(0, 20, status=404) == 20


@pytest.mark.parametrize("typed", ["123456", "0912 345 678", "012345678", "SD260901-123456", "Bí mật 1"])
@pytest.mark.parametrize("door", ["/v1/support-codes/", "/v1/phone-change-slips/", "/verify/"])
async def test_what_somebody_types_to_have_it_checked_stands_in_no_log(door: str, typed: str) -> None:
    """Whoever is telephoned types what they were told, or what has just come by text: a code for one's own eyes."""
    assert await paths_of(100, 1, path=door + typed) == [f"{door}*"]
