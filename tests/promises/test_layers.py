"""The import arrows of the design hold, and the contracts notice an arrow that points up."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("demo", "ngomon", "mobile_api", "workspace", "backend")

PLANTED = [
    ("backend/db.py", "import litestar", "The backend knows no web framework"),
    ("backend/errors.py", "import jinja2", "The backend knows no web framework"),
    ("backend/facts/__init__.py", "import backend.devices", "roles -> accounts"),
    ("backend/devices/__init__.py", "import backend.accounts", "roles -> accounts"),
    ("backend/accounts/__init__.py", "import backend.roles", "roles -> accounts"),
    ("backend/limits.py", "import mobile_api", "ngomon -> the two"),
    ("workspace/__init__.py", "import mobile_api", "ngomon -> the two"),
    ("mobile_api/__init__.py", "import ngomon", "ngomon -> the two"),
    ("ngomon/server.py", "import demo.stand", "demo -> ngomon"),
    ("backend/limits.py", "import demo", "demo -> ngomon"),
]


def house(folder: Path) -> Path:
    """A copy of the packages and their contracts, to plant a fault in."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    return folder


def lint(folder: Path) -> tuple[int, str]:
    """The exit status of import-linter in that folder, and what it said."""
    program = Path(sys.executable).parent / "lint-imports"
    words = (program, "--no-cache", "--config", folder / "pyproject.toml")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_arrows_point_one_way() -> None:
    status, said = lint(ROOT)
    assert status == 0, said


@pytest.fixture(scope="module")
def of_all_planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of one house with every fault in it."""
    folder = house(tmp_path_factory.mktemp("house"))
    for file, line, _ in PLANTED:
        with (folder / file).open("a", encoding="utf-8") as planted:
            planted.write(f"\n{line}\n")
    status, said = lint(folder)
    assert status != 0
    return said


@pytest.mark.parametrize(
    ("file", "line", "contract"), PLANTED, ids=[f"{file}: {line}" for file, line, _ in PLANTED]
)
def test_an_arrow_that_points_up_is_noticed(of_all_planted: str, file: str, line: str, contract: str) -> None:
    module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert f" {module} -> {line.removeprefix('import ')} (l." in of_all_planted, of_all_planted
    broken = [words for words in of_all_planted.splitlines() if words.rstrip().endswith("BROKEN")]
    assert any(contract in words for words in broken), of_all_planted


def test_a_module_without_a_place_is_noticed(tmp_path: Path) -> None:
    (house(tmp_path) / "backend/novelty.py").write_text('"""New."""\n', encoding="utf-8")
    status, said = lint(tmp_path)
    assert status != 0
    assert "novelty" in said
