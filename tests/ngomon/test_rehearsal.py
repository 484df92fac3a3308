"""docs/rehearsal.md, followed word by word: production on one machine, with an e-ID behind https of one's own (case O07)."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
import pytest

from tests.parts.oidc import form_action
from tests.parts.processes import ROOT, eventually, free_port, listens
from tests.phone import Phone

PAGE = (ROOT / "docs/rehearsal.md").read_text(encoding="utf-8")
FIRST = 9440  # of the five ports that the page names
BLOCK = re.compile(r"^```\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
MOST_STEPS = 12


class Place(NamedTuple):
    """Where the page is followed: a folder that stands for the checkout, and other ports than its own."""

    folder: Path
    base: int

    @property
    def blocks(self) -> list[str]:
        """The page's commands; nothing is changed but the ports."""
        text = PAGE.replace("rehearsal.py rehearsal", f"rehearsal.py rehearsal --base {self.base}")
        for number in range(5):
            text = text.replace(str(FIRST + number), str(self.base + number))
        return BLOCK.findall(text)

    def run(self, *blocks: str) -> subprocess.CompletedProcess[str]:
        program = ["bash", "-e", "-c", "\n".join(blocks)]
        return subprocess.run(
            program, cwd=self.folder, env=plain(), capture_output=True, text=True, check=False
        )

    @contextmanager
    def running(self, *blocks: str) -> Iterator[None]:
        """What serves until it is stopped, and whatever it has started."""
        program = ["bash", "-e", "-c", "\n".join(blocks)]
        with subprocess.Popen(program, cwd=self.folder, env=plain(), start_new_session=True) as started:
            try:
                yield
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(started.pid, signal.SIGTERM)


def plain() -> dict[str, str]:
    """No setting but those of the page; the modules are the checkout's."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NGOMON_")}
    return own | {"PYTHONPATH": str(ROOT)}


def a_row_of_ports(many: int) -> int:
    while True:
        first = free_port()
        try:
            for port in range(first + 1, first + many):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    return Place(tmp_path, a_row_of_ports(5))


async def test_o07_the_page_is_followed_word_by_word_to_the_first_sign_in(place: Place) -> None:
    world, settings, begin, fill, serve, look = place.blocks
    env = place.folder / "rehearsal/production.env"
    with place.running(world):
        ports = range(place.base, place.base + 4)
        await eventually(
            lambda: env.exists() and all(map(listens, ports)), what="the world around", patience=60
        )
        well = await eventually(
            lambda: done if (done := place.run(settings, begin)).returncode == 0 else None,
            what="a well doctor",
            patience=90,
        )
        for line in ("ok   VNeID", "ok   SMS", "ok   push"):
            assert line in well.stdout
        filled = place.run(settings, fill)
        assert filled.returncode == 0, filled.stdout + filled.stderr
        assert "1 units created" in filled.stdout and "manager of H57 added" in filled.stdout
        for name, said in (
            ("SSL_CERT_FILE", "its TLS certificate is not trusted"),
            ("NGOMON_ALLOWED_PRIVATE_HOSTS", "NGOMON_ALLOWED_PRIVATE_HOSTS does not list it"),
        ):
            assert said in PAGE.replace("\n", " ")
            assert said in place.run(settings, f"unset {name}", "ngomon doctor || true").stdout
        with place.running(settings, serve):
            await eventually(lambda: listens(place.base + 4), what="the service", patience=60)
            seen = place.run(settings, look)
            assert (seen.returncode, '"status":"ok"' in seen.stdout, "<html" in seen.stdout) == (
                0,
                True,
                True,
            ), seen
            await signs_in(place)


async def signs_in(place: Place) -> None:
    """A manager in a browser, and a phone."""
    tls = ssl.create_default_context(cafile=str(place.folder / "rehearsal/ca.pem"))
    public = f"https://localhost:{place.base + 1}"
    async with httpx2.AsyncClient(verify=tls, base_url=public, timeout=30) as http:
        back = await through(http, f"{public}/workspace/login/start", f"{public}/workspace/login/callback")
        assert (await http.get(back, follow_redirects=True)).status_code == 200
        entered = await http.get("/workspace", follow_redirects=True)
        assert entered.status_code == 200 and "Trần Thị Quản Lý" in entered.text, entered.text[:500]
        phone = Phone(http, public)
        started = await phone.begin()
        answer = await through(http, started["authorization_url"], f"{public}/app/vneid")
        brought = await phone.bring(started["id"], dict(parse_qsl(urlsplit(answer).query)))
        assert (brought.status_code, brought.json()["step"]) == (200, "phone"), brought.text


async def through(http: httpx2.AsyncClient, url: str, until: str) -> str:
    """What a person does in the e-ID's pages; the address to which it leads back."""
    answer = await http.get(url)
    for _ in range(MOST_STEPS):
        if answer.is_redirect:
            url = urljoin(url, answer.headers["location"])
            if url.startswith(until):
                return url
            answer = await http.get(url)
        else:
            assert answer.status_code == 200, answer.text
            url = urljoin(url, form_action(answer.text))
            answer = await http.post(url, data={"account": "can-bo", "answer": "yes"})
    raise AssertionError(f"round in circles at {url}")
