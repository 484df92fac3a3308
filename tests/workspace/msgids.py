"""Finds every Vietnamese message that people can be shown, so that none is without its English."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from jinja2.ext import babel_extract

import backend
import mobile_api
import workspace
from backend.errors import Refusal, catalogue

ROOT = Path(__file__).resolve().parents[2]
SPOKEN = ("_",)


@cache
def everything() -> frozenset[str]:
    """All messages: refusals, field errors, words for codes, templates; a catalogue of roles brings its own English."""
    return frozenset({*_refusals(), *_literals(), *_templates()} - {""})


def _refusals() -> Iterator[str]:
    for package in (backend, mobile_api, workspace):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for kind in catalogue().values():
        if kind.__module__.partition(".")[0] in {"backend", "mobile_api", "workspace", "ngomon", "demo"}:
            yield kind.title


def _literals() -> Iterator[str]:
    """`_("…")`, `say("…", …)`, and the sentences of `FieldError(…, …, "…")` and `BadText(…, "…")`."""
    for top in ("backend", "mobile_api", "workspace"):
        for file in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield from _spoken(node.func.id, node.args)


def _spoken(name: str, arguments: list[ast.expr]) -> Iterator[str]:
    place = {"_": 0, "say": 0, "mark": 0, "FieldError": 2, "BadText": 1}.get(name)
    if place is not None and len(arguments) > place:
        argument = arguments[place]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


def unmarked_details() -> Iterator[str]:
    """Where a refusal is made with a `detail` that no catalogue can know: not `_("…")` with its values as facts."""
    kinds = {kind.__name__ for kind in _subclasses(Refusal) if kind.__init__ is Refusal.__init__}
    for top in ("backend", "mobile_api", "workspace"):
        for file in sorted((ROOT / top).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) in kinds and any(map(_is_text, node.args)):
                    yield f"{file.relative_to(ROOT)}:{node.lineno}"


def _is_text(node: ast.expr) -> bool:
    is_put_together = isinstance(node, ast.JoinedStr | ast.BinOp)
    return is_put_together or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _subclasses(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from _subclasses(below)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _templates() -> Iterator[str]:
    for file in sorted((ROOT / "workspace/templates").glob("*.html")):
        for _line, _function, message, _comments in babel_extract(
            BytesIO(file.read_bytes()), SPOKEN, (), {"silent": "false"}
        ):
            if message:
                yield message if isinstance(message, str) else message[0] or ""
