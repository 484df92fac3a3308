"""Whatever becomes of what a command prints, it ends with one line and a code (rule 1002)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts.command import environment

NGOMON = (sys.executable, "-m", "ngomon")


def sh(words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command as a shell runs it; `$@` is ngomon."""
    return subprocess.run(
        ["sh", "-c", words, "sh", *NGOMON], env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture
def house(tmp_path: Path) -> dict[str, str]:
    found = environment(tmp_path)
    assert sh('"$@" migrate', **found).returncode == 0
    return found


def test_rule_1002_a_disk_that_is_full_and_a_closed_output_are_no_traceback(house: dict[str, str]) -> None:
    full = sh('"$@" catalogue show > /dev/full', **house)
    assert (full.returncode, full.stderr.count("\n")) == (1, 1), full.stderr
    assert full.stderr.startswith("ngomon: what was to be said here could not be written: No space left")
    shut = sh('"$@" catalogue show >&-', **house)
    assert (shut.returncode, shut.stderr) == (0, "")


def test_rule_1002_a_screen_without_our_letters_gets_their_numbers(house: dict[str, str]) -> None:
    shown = sh('"$@" catalogue show', **house, PYTHONIOENCODING="ascii")
    assert (shown.returncode, shown.stderr) == (0, "") and "\\u" in shown.stdout


def test_rule_1002_a_closed_output_takes_letters_that_the_place_does_not_have(house: dict[str, str]) -> None:
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    shut = sh('"$@" catalogue show >&-', **house | bare)
    assert (shut.returncode, shut.stderr) == (0, "")
