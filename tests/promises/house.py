"""The house rules that a linter does not know, each as a function from one file to what is wrong with it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = (
    ".git",
    ".venv",
    "node_modules",
    "data",
    "build",
    "dist",
    "clients/typescript/dist",
    "bench/results",
    "workspace/static/vendor",
)
MOST_LINES = 300
LONGEST_FUNCTION = 40
GENERATED = ("alembic/versions/", "docs/openapi.json", "package-lock.json", "requirements/")

Rule = Callable[[str, str], Iterator[str]]


def files() -> Iterator[Path]:
    """Every file of the repository that is written here."""
    for folder, inner, names in os.walk(ROOT):
        here = Path(folder)
        inner[:] = [name for name in inner if is_ours((here / name).relative_to(ROOT))]
        yield from (here / name for name in names if is_ours((here / name).relative_to(ROOT)))


def is_ours(folder: Path) -> bool:
    """Whether what lies there is written here, not installed or made; in a second work tree `.git` is a file."""
    made = (
        folder.name == "__pycache__"
        or folder.name.endswith(("_cache", ".egg-info"))
        or folder.name == ".hypothesis"
    )
    return not made and folder.as_posix() not in NOT_OURS


@cache
def faults(rules: tuple[Rule, ...]) -> dict[Rule, list[str]]:
    """What each rule finds in the whole repository, one line each; a file is read once for all of them."""
    found: dict[Rule, list[str]] = {rule: [] for rule in rules}
    for path in sorted(files()):
        name = path.relative_to(ROOT).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for rule in rules:
            found[rule] += [f"{name}{fault}" for fault in rule(name, text)]
    return found


def short_files(name: str, text: str) -> Iterator[str]:
    """A file is read in one sitting."""
    lines = text.count("\n")
    if (
        name.endswith((".py", ".mjs", ".js", ".ts", ".html"))
        and not name.startswith(GENERATED)
        and lines > MOST_LINES
    ):
        yield f": {lines} lines, {MOST_LINES} is the most"


def short_functions(name: str, text: str) -> Iterator[str]:
    """A function fits on a screen; its docstring is not counted."""
    if name.startswith(GENERATED):
        return
    for node in _nodes(name, text):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            docstring = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(node) else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring
            if lines > LONGEST_FUNCTION:
                yield f":{node.lineno}: {node.name} has {lines} lines, {LONGEST_FUNCTION} is the most"


REGISTRIES = re.compile(
    r"(?:pypi|pythonhosted|crates)\.(?:org|io)|(?:npmjs|yarnpkg)\.(?:org|com)|(?:deb|security|snapshot)\.debian\.org",
    re.IGNORECASE,
)


def no_registry(name: str, text: str) -> Iterator[str]:
    """Where packages come from is the machine's business: a mirror must do as well."""
    yield from _lines_with(REGISTRIES, text, "names a package registry")


MACHINE_PATHS = re.compile(r"(?<![\w.>}-])/(?:work|root|farm|home|Users)/[\w.-]")


def no_machine_path(name: str, text: str) -> Iterator[str]:
    """Nothing that is true on one machine only."""
    yield from _lines_with(MACHINE_PATHS, text, "names a path of one machine")


REAL_LOOKING = re.compile(r"(?<![\w.+/=-])0(?!00|97|98|99)\d{11}(?![\w.+/=-])")


def invented_people(name: str, text: str) -> Iterator[str]:
    """A personal number that could be somebody's; provinces are 001 to 096, invented people 000."""
    if not name.startswith(GENERATED):
        yield from _lines_with(REAL_LOOKING, text, "holds a personal number that could be real")


BANNED_MODULES = {
    "httpx": "outgoing HTTP is written on httpx2",
    "litestar.contrib": "it goes away in Litestar 3",
    "sqlite3": "the standard module links a SQLite with the WAL-reset race",
}


def no_banned_import(name: str, text: str) -> Iterator[str]:
    """Modules that have a successor here."""
    for node in _nodes(name, text):
        for module in _imported(node):
            for banned, reason in BANNED_MODULES.items():
                if module == banned or module.startswith(f"{banned}."):
                    yield f":{getattr(node, 'lineno', 0)}: imports {banned}: {reason}"


RULES = ("backend/", "mobile_api/", "workspace/")
MAY_ASK_CHANCE = {
    "backend/crypto.py": "keys and nonces of encryption",
    "backend/db.py": "identifiers",
    "backend/outbox/bell.py": "the name by which one process hears itself",
    "backend/outbox/circuit.py": "jitter, so that retries do not march in step",
    "backend/outbox/outcome.py": "jitter, as above",
    "backend/outbox/turns.py": "the name of one holder of a lease",
    "workspace/headers.py": "the nonce of one page's content policy",
}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
CHANCE = re.compile(r"^(?:secrets\.(?!compare_digest$)|random\.|os\.urandom$|uuid\.uuid4$|uuid4$)")


def clock_and_chance_come_from_outside(name: str, text: str) -> Iterator[str]:
    """A rule takes `now` and what was drawn as inputs, so that a test can say what they are."""
    if not name.startswith(RULES) or name.startswith("backend/outside/"):
        return
    for node in _nodes(name, text):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in CLOCKS or called.removeprefix("datetime.") in CLOCKS:
                yield f":{node.lineno}: asks the clock ({called}); the clock is outside.clock"
            if CHANCE.match(called) and name not in MAY_ASK_CHANCE:
                yield f":{node.lineno}: draws by chance ({called}); that is for backend/outside or crypto.py"


@lru_cache(maxsize=1)
def _nodes(name: str, text: str) -> list[ast.AST]:
    return list(ast.walk(ast.parse(text, name))) if name.endswith(".py") else []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _lines_with(pattern: re.Pattern[str], text: str, fault: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.search(line):
            yield f":{number}: {fault}: {line.strip()[:120]}"
