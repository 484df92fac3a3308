"""What gets installed is pinned, hashed and in step with pyproject.toml, and names no registry."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Collection, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.pins import with_bare_names

ROOT = Path(__file__).resolve().parents[2]
RUN_EXTRAS = ("demo", "postgres")
PRODUCTION_EXTRAS = ("ldap", "postgres", "push")
ONLY_WHEN_ASKED = ("bonsai", "firebase_admin")  # the extras `ldap` and `push`, imported when they are used
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\[(?P<extras>[a-z0-9,_-]+)\])?==(?P<version>\S+)(?P<rest>.*?)(?=^[a-z]|\Z)",
    re.MULTILINE | re.DOTALL,
)


def pins(name: str) -> dict[str, str]:
    """Package -> version of one requirement file."""
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    return {match["name"]: match["version"] for match in PIN.finditer(text)}


def pinned_extras(name: str) -> dict[str, set[str]]:
    """Package -> the extras that its pin in one requirement file carries."""
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    return {match["name"]: set((match["extras"] or "").split(",")) for match in PIN.finditer(text)}


def asked_with_extras(pinned: Collection[str], roots: list[Requirement]) -> Iterator[Requirement]:
    """Every requirement that names an extra: the project's own, and those of each pinned package."""
    yield from (root for root in roots if root.extras)
    for name in pinned:
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # pinned for another system
            continue
        for requirement in map(Requirement, lines):
            unconditional = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if requirement.extras and unconditional and canonicalize_name(requirement.name) in pinned:
                yield requirement


def wanted(extras: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in extras for line in optional[extra])]
    return [Requirement(line) for line in lines]


def every_extra() -> tuple[str, ...]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return tuple(project["optional-dependencies"])


@pytest.mark.parametrize("name", ["run", "test", "production", "build", "node"])
def test_every_pin_is_hashed(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    bare = [match["name"] for match in PIN.finditer(text) if "--hash=sha256:" not in match["rest"]]
    assert pins(name)
    assert bare == []


@pytest.mark.parametrize(
    ("name", "extras"), [("run", RUN_EXTRAS), ("production", PRODUCTION_EXTRAS), ("test", every_extra())]
)
def test_the_pins_are_what_the_project_asks_for(name: str, extras: tuple[str, ...]) -> None:
    pinned = pins(name)
    late = [
        f"{requirement}: {pinned.get(canonicalize_name(requirement.name))}"
        for requirement in wanted(extras)
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert late == [], "run `make lock`"


@pytest.mark.parametrize(
    ("name", "extras"), [("run", RUN_EXTRAS), ("production", PRODUCTION_EXTRAS), ("test", every_extra())]
)
def test_s01_a_pin_carries_every_extra_that_anybody_asks_for(name: str, extras: tuple[str, ...]) -> None:
    """pip up to 23.x takes `pydantic[email]` for another package than the pinned `pydantic`, and refuses."""
    pinned = pinned_extras(name)
    asked = list(asked_with_extras(pinned.keys(), wanted(extras)))
    bare = [
        str(requirement)
        for requirement in asked
        if not requirement.extras <= pinned[canonicalize_name(requirement.name)]
    ]
    assert len(asked) >= 3
    assert bare == [], "run `make lock`, with --no-strip-extras"


@pytest.mark.parametrize("name", ["run", "production", "test", "build", "node"])
def test_s01_a_pin_with_extras_stands_without_them_too(name: str) -> None:
    page = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    assert with_bare_names(page) == page, "an old pip takes the newest release of the bare name: `make lock`"


def test_s01_the_bare_name_is_written_once() -> None:
    page = "a==1 \\\n    --hash=sha256:0\nb[x,y]==2 \\\n    --hash=sha256:1\n"
    whole = "a==1 \\\n    --hash=sha256:0\nb==2 \\\n    --hash=sha256:1\nb[x,y]==2 \\\n    --hash=sha256:1\n"
    assert with_bare_names(page) == whole == with_bare_names(whole)


def test_running_installs_every_package_that_the_product_imports() -> None:
    distributions = packages_distributions()
    imported = {
        module.partition(".")[0]
        for package in ("demo", "ngomon", "mobile_api", "workspace", "backend")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for module in imports(node)
    }
    others = imported - {
        *sys.stdlib_module_names,
        "demo",
        "ngomon",
        "mobile_api",
        "workspace",
        "backend",
        *ONLY_WHEN_ASKED,
    }
    pinned = pins("run").keys()
    homeless = [
        name
        for name in others
        if pinned.isdisjoint(map(canonicalize_name, distributions.get(name, ["nowhere"])))
    ]
    assert len(others) > 10
    assert homeless == []


def imports(node: ast.AST) -> list[str]:
    """The modules that this statement imports, ours by relative import aside."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


@pytest.mark.parametrize("name", ["run", "production", "build"])
def test_the_tests_run_what_is_run(name: str) -> None:
    run, test = pins(name), pins("test")
    assert {package: test.get(package) for package in run} == run


def test_the_tests_need_more_than_running_does() -> None:
    assert {"pytest", "mypy", "playwright"} <= pins("test").keys() - pins("run").keys()


@pytest.mark.parametrize("folder", [".", "tests/postgres18"])
def test_every_npm_package_is_pinned_by_its_content(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = {name: entry for name, entry in lock.items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "sha512-" not in entry.get("integrity", "")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


@pytest.mark.parametrize("folder", [".", "tests/postgres18"])
def test_npm_packages_are_asked_for_by_exact_version(folder: str) -> None:
    manifest = json.loads((ROOT / folder / "package.json").read_text(encoding="utf-8"))
    asked = manifest["dependencies"] | manifest.get("devDependencies", {})
    assert [f"{name} {version}" for name, version in asked.items() if not version[0].isdigit()] == []
