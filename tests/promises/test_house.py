"""The house rules hold in every file, and each of them notices a file that breaks it."""

from __future__ import annotations

import pytest

from tests.promises import house
from tests.promises.house import Rule

HOST = "registry.npmjs" + ".org"  # in two pieces, or this file would break the rule itself
PATH = "/" + "home/somebody/project"
NUMBER = "0790" + "90000001"

BREAKS: list[tuple[Rule, str, str]] = [
    (house.short_files, "backend/x.py", "x = 1\n" * 301),
    (house.short_files, "workspace/templates/x.html", "<p>\n" * 301),
    (house.short_files, "clients/typescript/src/x.ts", "x;\n" * 301),
    (house.short_functions, "backend/x.py", "async def f():\n" + "    x = 1\n" * 40),
    (house.no_registry, "requirements/x.txt", f"--index-url https://{HOST}/simple\n"),
    (house.no_machine_path, "docs/x.md", f"look into `{PATH}`\n"),
    (house.invented_people, "tests/x.py", f"national_id = '{NUMBER}'\n"),
    (house.no_banned_import, "backend/x.py", "import httpx\n"),
    (house.no_banned_import, "backend/x.py", "from litestar.contrib.jinja import JinjaTemplateEngine\n"),
    (house.no_banned_import, "tests/x.py", "from litestar import contrib\n"),
    (house.clock_and_chance_come_from_outside, "backend/roles/x.py", "now = datetime.now(UTC)\n"),
    (house.clock_and_chance_come_from_outside, "mobile_api/x.py", "now = datetime.datetime.now(UTC)\n"),
    (house.clock_and_chance_come_from_outside, "workspace/x.py", "day = date.today()\n"),
    (house.clock_and_chance_come_from_outside, "backend/accounts/x.py", "code = secrets.randbelow(10)\n"),
]
KEEPS: list[tuple[Rule, str, str]] = [
    (house.short_files, "backend/x.py", "x = 1\n" * 300),
    (
        house.short_functions,
        "backend/x.py",
        'def f():\n    """' + "long\n" * 50 + '"""\n' + "    x = 1\n" * 39,
    ),
    (house.no_machine_path, "workspace/x.html", '<a href="/workspace/inbox">'),
    (house.invented_people, "tests/x.py", "national_id = '000090000001'\n"),
    (house.no_banned_import, "backend/x.py", "import httpx2\n"),
    (house.clock_and_chance_come_from_outside, "backend/outside/clock.py", "now = datetime.now(UTC)\n"),
    (house.clock_and_chance_come_from_outside, "backend/roles/x.py", "secrets.compare_digest(a, b)\n"),
]
EVERY_RULE = dict.fromkeys(rule for rule, _, _ in BREAKS)


@pytest.mark.parametrize("rule", EVERY_RULE, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    assert house.faults(tuple(EVERY_RULE))[rule] == []


@pytest.mark.parametrize(("rule", "name", "text"), BREAKS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_notices_a_file_that_breaks_it(rule: Rule, name: str, text: str) -> None:
    assert len(list(rule(name, text))) >= 1


@pytest.mark.parametrize(("rule", "name", "text"), KEEPS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_rule_leaves_a_file_alone_that_keeps_it(rule: Rule, name: str, text: str) -> None:
    assert list(rule(name, text)) == []


def test_the_rules_see_the_whole_house() -> None:
    seen = {path.relative_to(house.ROOT).parts[0] for path in house.files()}
    assert {
        "backend",
        "mobile_api",
        "workspace",
        "ngomon",
        "demo",
        "tests",
        "Makefile",
        "pyproject.toml",
    } <= seen
