"""No two files of the product need each other, and a name is imported from the file where it stands."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
FRONT = "backend.facts"  # the one vocabulary of the journal stands in three files; one door leads to it
PACKAGES = ("backend", "mobile_api", "workspace", "ngomon", "demo")


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """What each file imports, also where only a type is meant or a function runs."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {name: set(graph.find_modules_directly_imported_by(name)) for name in graph.modules}


def circle(imports: dict[str, set[str]]) -> list[str]:
    """The first circle that is met; empty where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def test_no_files_import_each_other(imports: dict[str, set[str]]) -> None:
    assert len(imports) > 400
    assert circle(imports) == []


def test_a_circle_is_noticed(imports: dict[str, set[str]]) -> None:
    planted = imports | {"backend.errors": {"backend.roles.requests"}}
    assert {"backend.errors", "backend.roles.requests"} <= set(circle(planted))


def defined(tree: ast.Module) -> set[str]:
    """The names that stand in a file: made there, not brought."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
    return found


def borrowed(trees: dict[str, ast.Module]) -> list[str]:
    """Imports of a name from a file that has it from another one."""
    stands = {name: defined(tree) for name, tree in trees.items()}
    return [
        f"{file}: {alias.name} does not stand in {node.module}"
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in trees and node.module != FRONT
        for alias in node.names
        if alias.name not in stands[node.module] and f"{node.module}.{alias.name}" not in trees
    ]


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """Every file of the product by the name that it is imported by."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            file.read_text(encoding="utf-8")
        )
        for file in files
    }


def test_a_name_is_imported_from_where_it_stands(trees: dict[str, ast.Module]) -> None:
    assert borrowed(trees) == []


def test_a_borrowed_name_is_noticed(trees: dict[str, ast.Module]) -> None:
    planted = trees | {"backend.planted": ast.parse("from backend.roles.requests import Draft")}
    assert borrowed(planted) == ["backend.planted: Draft does not stand in backend.roles.requests"]
