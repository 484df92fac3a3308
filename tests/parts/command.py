"""The command in this process: for what ends before anything has begun, and where no other process is what is proved."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from backend.crypto import new_secret_key
from ngomon import cli
from tests.parts.processes import ROOT

Run = Callable[..., tuple[int, list[str]]]
Ended = Callable[..., tuple[int, str, str]]


def environment(folder: Path, **environ: str) -> dict[str, str]:
    """A fresh installation in this folder."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NGOMON_")}
    where = {
        "NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'ngomon.db'}",
        "NGOMON_SECRET_KEYS": new_secret_key(),
        "PYTHONPATH": str(ROOT),
    }
    return own | where | environ


@pytest.fixture
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Ended:
    """How a command ends that serves nothing: its exit code, what it printed, what it complained about."""

    def command(*words: str, **environ: str) -> tuple[int, str, str]:
        said = structlog.get_config()
        with monkeypatch.context() as here:
            for name, value in environment(tmp_path, **environ).items():
                here.setenv(name, value)
            here.setattr("sys.argv", ["ngomon", *words])
            with pytest.raises(SystemExit) as end:
                cli.main()
            structlog.configure(**said)  # the command writes its log where this test looks, until it is over
        out, err = capfd.readouterr()
        assert "serving on" not in out and "delivering" not in out, "nothing is said to run that does not"
        return int(end.value.code or 0), out, err

    return command


@pytest.fixture
def within(ended: Ended) -> Run:
    """The exit code and what the command complained about, line by line."""

    def command(*words: str, **environ: str) -> tuple[int, list[str]]:
        code, _, err = ended(*words, **environ)
        return code, err.strip().splitlines()

    return command
