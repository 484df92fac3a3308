"""The documents say what the code says: every list is complete both ways, every path and link leads somewhere."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from backend.environment import FILES, OTP_NAMES, load
from backend.errors import Refusal
from backend.facts import vocabulary
from backend.limits import Limits
from backend.outside.connectors.kinds import CONNECTORS
from backend.roles.catalogue.in_force import shipped
from backend.settings import EID_GROUPS, EIdSettings, Settings, variables
from ngomon.cli import command
from scripts import docs as written

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("backend", "mobile_api", "workspace", "ngomon", "demo")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OUR_TOPS = {path.name for path in ROOT.iterdir()} - {".git"}
MADE = (
    "data",
    "node_modules",
    ".venv",
    "bench/results",
    "workspace/static/vendor",
)  # by running or installing
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.-]+(?:/[\w.*-]+)+/?|[\w-]+\.(?:md|py|toml|ini|json)|Makefile")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ROW = re.compile(r"^\| `([^`]+)` \|([^|]*)\|", re.MULTILINE)
VARIABLE = re.compile(r"`(NGOMON_[A-Z_]+)`")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """One section of a page, without its heading."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page(name), re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} has no section {heading!r}"
    return found[1]


def table(text: str) -> list[tuple[str, str]]:
    """The first two cells of every row whose first cell is in code."""
    return [(first, second.strip().strip("`")) for first, second in ROW.findall(text)]


def refusals() -> set[tuple[str, str]]:
    """Every refusal that any module defines, with its status."""
    for package in PACKAGES:
        home = importlib.import_module(package)
        for module in pkgutil.walk_packages(home.__path__, f"{package}."):
            importlib.import_module(module.name)
    kinds, found = [Refusal], set()
    while kinds:
        kind = kinds.pop()
        found.add((kind.code, str(kind.status)))
        kinds += [child for child in kind.__subclasses__() if child.__module__.split(".")[0] in PACKAGES]
    return found


def field_codes() -> set[str]:
    """Every code of a field that is written down in the surfaces and the rules."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found |= set(_field_code(node))
    return found


def _field_code(node: ast.AST) -> Iterator[str]:
    place = {"FieldError": 1, "BadText": 0, "_wrong": 0}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in place:
        at = place[node.func.id]
        if len(node.args) > at and isinstance(node.args[at], ast.Constant):
            yield str(node.args[at].value)  # type: ignore[attr-defined]
    if isinstance(node, ast.Dict):
        keys = {
            key.value: value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        }
        if {"field", "code", "message"} == set(keys) and isinstance(keys["code"], ast.Constant):
            yield str(keys["code"].value)


def shown(value: object) -> str:
    """A default as the page writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) or "unset"


def packages() -> dict[str, str]:
    """Everything that pyproject.toml and package.json ask for, with the extras that bring it."""
    project: dict[str, Any] = tomllib.loads(page("pyproject.toml"))["project"]
    node = json.loads(page("package.json"))
    found = {Requirement(line).name: "" for line in project["dependencies"]}
    for extra, lines in project["optional-dependencies"].items():
        for name in (Requirement(line).name for line in lines):
            found[name] = f"{found[name]}, {extra}" if found.get(name) else extra
    return (
        found
        | dict.fromkeys(node["dependencies"], "npm")
        | dict.fromkeys(node["devDependencies"], "npm, tests")
    )


def lost_paths(text: str) -> list[str]:
    """Names of files in a page that are not there; whatever begins with a name of ours counts as one."""
    named = [
        match
        for quoted in QUOTED.findall(FENCE.sub("", text))
        for match in PATH.findall(quoted)
        if match == quoted
    ]
    ours = [name for name in named if name.split("/")[0] in OUR_TOPS or "/" not in name]
    return [name for name in ours if not name.startswith(MADE) and not _exists(name)]


def _exists(name: str) -> bool:
    if "*" in name or "NNNN" in name:
        return bool(list(ROOT.glob(name.replace("NNNN", "0*").replace("…", "*"))))
    return (ROOT / name).exists() or ("/" not in name and bool(list(ROOT.glob(f"docs/**/{name}"))))


def lost_links(path: Path, text: str) -> list[str]:
    """Links within the repository that lead nowhere."""
    near = [
        link.partition("#")[0]
        for link in LINK.findall(text)
        if "://" not in link and not link.startswith("mailto:")
    ]
    return [link for link in near if link and not (path.parent / link).exists()]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_and_link_of_a_page_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert lost_paths(text) == []
    assert lost_links(path, text) == []


def test_a_path_that_is_gone_is_noticed() -> None:
    text = "See `backend/gone.py`, `gone.md` and [there](docs/gone.md), not `backend/db.py` or [here](README.md)."
    assert lost_paths(text) == ["backend/gone.py", "gone.md"]
    assert lost_links(ROOT / "README.md", text) == ["docs/gone.md"]


def test_every_refusal_stands_in_the_list_of_problems_and_nothing_else() -> None:
    text = page("docs/problems.md")
    rows = [row for row in table(text) if row[1].isdigit()]
    assert len(rows) == len(set(rows))
    assert set(rows) == refusals()


def test_every_code_of_a_field_stands_in_the_list_of_problems_and_nothing_else() -> None:
    assert {code for code, _ in table(section("docs/problems.md", "Codes of fields"))} == field_codes()


def test_every_fact_stands_in_the_list_of_facts_as_the_code_has_it() -> None:
    assert page("docs/facts.md") == written.facts()
    assert {tag for tag, _ in table(page("docs/facts.md"))} == set(vocabulary())


def test_every_setting_is_listed_with_its_default() -> None:
    settings = msgspec.structs.asdict(load({}))
    public = settings["public_url"]
    wanted = {
        f"NGOMON_{name.upper()}": shown(settings[name])
        for name in Settings.__struct_fields__
        if name not in ("limits", "brand", "days", *EID_GROUPS)
    }
    wanted |= {
        f"NGOMON_{group}_{name}".upper(): shown(getattr(settings[group], name))
        for group in EID_GROUPS
        for name in EIdSettings.__struct_fields__
    }
    rows = dict(table(section("docs/settings.md", "Where things are")))
    rows = {
        name: value if name == "NGOMON_PUBLIC_URL" else value.replace("<public>", public)
        for name, value in rows.items()
    }
    assert rows == wanted


def test_every_limit_is_listed_with_its_default() -> None:
    wanted = {
        f"NGOMON_LIMIT_{name.upper()}": shown(value)
        for name, value in msgspec.structs.asdict(Limits()).items()
    }
    assert dict(table(section("docs/settings.md", "Limits"))) == wanted


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_variable_that_a_page_names_exists(path: Path) -> None:
    known = {name.upper() for name in variables()} | {f"{name}_FILE" for name in FILES}
    known |= {f"LIMIT_{name.upper()}" for name in Limits.__struct_fields__} | {
        f"OTP_{name}" for name in OTP_NAMES
    }
    named = {name.removeprefix("NGOMON_") for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    assert {name for name in named - known if name != "LIMIT_"} == set()


def test_every_other_spelling_of_a_variable_is_listed() -> None:
    named = {name.removeprefix("NGOMON_") for name in VARIABLE.findall(page("docs/settings.md"))}
    assert {*(f"{name}_FILE" for name in FILES), *(f"OTP_{name}" for name in OTP_NAMES)} <= named


def test_every_dependency_says_why_it_is_there_and_no_other() -> None:
    assert dict(table(page("docs/decisions/0009-dependencies.md"))) == packages()


def test_the_newest_heading_of_the_changelog_is_the_version() -> None:
    rule = tomllib.loads(page("pyproject.toml"))["tool"]["hatch"]["version"]
    found = [match["version"] for match in re.finditer(rule["pattern"], page(rule["path"]))]
    assert rule["path"] == "CHANGELOG.md"
    assert found == sorted(set(found), key=Version, reverse=True)
    assert found


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    text = page("README.md")
    assert text.count("\n") <= 150
    assert {"make run", "make test"} <= set(re.findall(r"^make \w+", text, re.MULTILINE))


def test_contributors_find_every_target_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", page("Makefile"), re.MULTILINE)
    named = set(re.findall(r"`make ([a-z-]+)", page("CONTRIBUTING.md")))
    assert named == set(targets)


def test_contributors_are_told_of_the_connectors_and_subject_types_that_exist() -> None:
    text = page("CONTRIBUTING.md")
    assert [name for name in (*CONNECTORS, *shipped().subject_types) if f"`{name}`" not in text] == []


def test_every_command_stands_in_the_operators_page() -> None:
    rows = [line for line in page("docs/operations.md").splitlines() if line.startswith("| `ngomon ")]
    context = click.Context(command)
    wanted = [
        (name, inner)
        for name, one in (
            (name, command.get_command(context, name)) for name in command.list_commands(context)
        )
        for inner in (one.commands if isinstance(one, click.Group) else ("",))
    ]
    missing = [
        f"{name} {inner}"
        for name, inner in wanted
        if not any(
            re.search(rf"`(ngomon {name} )?{inner}\b", row) for row in rows if f"`ngomon {name}" in row
        )
    ]
    assert len(wanted) > 15
    assert missing == []


def test_decisions_are_numbered_without_a_gap_and_have_their_four_parts() -> None:
    found = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:4] for path in found] == [f"{number:04}" for number in range(1, len(found) + 1)]
    parts = ["Context", "Decision", "Consequences", "What would change our mind"]
    for path in found:
        assert re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)[:4] == parts, (
            path.name
        )
