"""Who writes what systems are told about people also has them told (R22), and the rule finds who forgets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOLD = {  # what the desired state is made of (backend/roles/desired.py): the row's usual names, its attributes
    "account": {"full_name", "status"},
    "unit": {"name", "code", "agency_code", "path", "parent_id"},
    "role": {"position", "subject_type", "unit_id", "state", "email_blind", "fields"},
    "record": {"email_blind"},
}
TELLS = ("renewal.renew", "telling.", "timeline.tell", "outbox.enqueue", "tell(")
ELSEWHERE = {
    "backend/accounts/self/personal_data.py": "who is erased has left every system, and keeps the last known rest",
    "backend/accounts/identity/people.py": "a new account has no role",
    "backend/roles/effects.py": "its callers in timeline.py tell",
    "backend/roles/leaving.py": "the calendar of posts without names: nothing is in force",
    "backend/roles/reversal.py": "what is undone was held, and nobody has heard of it",
    "backend/roles/staff.py": "the caller compares the addresses",
}


def forgetful(name: str, text: str) -> Iterator[str]:
    """Assignments to what systems are told, in a module that tells nobody."""
    if name in ELSEWHERE or any(word in text for word in TELLS):
        return
    for node in ast.walk(ast.parse(text)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in (
            part for one in targets for part in (one.elts if isinstance(one, ast.Tuple) else [one])
        ):
            if (
                isinstance(target, ast.Attribute)
                and isinstance(target.value, ast.Name)
                and target.attr in TOLD.get(target.value.id, ())
            ):
                yield f"{name}:{target.lineno}: {target.value.id}.{target.attr} is written and no system is told"


def test_r22_whoever_writes_what_systems_are_told_tells_them() -> None:
    files = sorted((ROOT / "backend").rglob("*.py"))
    found = [
        fault
        for path in files
        for fault in forgetful(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert {name for name in ELSEWHERE if not (ROOT / name).exists()} == set()


def test_r22_the_rule_finds_who_forgets() -> None:
    assert list(forgetful("backend/roles/x.py", "def f(unit):\n    unit.name, unit.kind = 'a', 'b'\n"))
    assert list(forgetful("backend/x.py", "account.full_name = b''\n"))
    assert not list(
        forgetful("backend/x.py", "account.full_name = b''\nawait renewal.renew(tx, [a], now=now)\n")
    )
