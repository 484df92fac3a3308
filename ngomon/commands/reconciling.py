"""`ngomon systems reconcile`: what a system holds beside what it should hold."""

from __future__ import annotations

from collections import Counter

import rich_click as click
from rich.progress import Progress

from backend.db import Database
from backend.kit import Kit
from backend.outbox import systems as registry
from backend.outbox.reconcile import WRONG, Finding
from backend.outbox.strangers import UNPROVED
from backend.settings import Settings
from ngomon.commands import by, out, show
from ngomon.commands.steering import said
from ngomon.commands.wrong import Wrong
from ngomon.tasks import comparison_of, outgoing

QUIET = ("waiting", "skipped", "unreadable")


@click.command(help="Compare everything a system holds with what it should hold, and heal the rest.")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Say what differs, and write nothing here or there.")
@by.option
def reconcile(name: str, dry_run: bool) -> None:
    """Prints identifiers and names of fields, never values; a second run finds nothing."""

    async def compare(db: Database, kit: Kit, settings: Settings) -> tuple[list[Finding], int]:
        return await _compare(db, kit, settings, name, dry=dry_run)

    found, foreign = said(compare)
    if wrong := [finding for finding in found if finding.is_wrong or finding.kind == "unreadable"]:
        rows = [(one.kind, str(one.account_id or "-"), ", ".join(one.fields) or "-") for one in wrong]
        show(("what", "account", "fields"), rows)
    for line in _lines(found, foreign, dry=dry_run):
        out.print(f"{name}: {line}")


async def _compare(
    db: Database, kit: Kit, settings: Settings, name: str, *, dry: bool
) -> tuple[list[Finding], int]:
    async with db.read() as tx:
        system = await registry.named(tx, name)
    if system.disabled_at is not None:
        raise Wrong(f"{name} is disabled")
    http = outgoing(settings)
    comparison = comparison_of(db, kit, http, dry=dry)
    found: list[Finding] = []
    try:
        with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
            bar = progress.add_task(name, total=None)
            async for finding, total in comparison.run(system):
                found.append(finding)
                progress.update(bar, total=total, completed=len(found))
    finally:
        await http.close()
    return found, comparison.foreign


def _lines(found: list[Finding], foreign: int, *, dry: bool) -> list[str]:
    count: Counter[str] = Counter(finding.kind for finding in found)
    drift = sum(finding.is_wrong for finding in found)
    lines = [f"drift: {drift}", f"compared: {sum(one.account_id is not None for one in found)}"]
    lines += [f"{kind}: {count[kind]}" for kind in WRONG]
    lines += [f"{kind}: {count[kind]}" for kind in QUIET if count[kind]]
    if unproved := sum(UNPROVED in one.fields for one in found):
        lines.append(f"unproved: {unproved}")
    lines.append(f"foreign: {foreign}")
    if drift:
        lines.append("nothing was changed (--dry-run)" if dry else f"healing: {drift}")
    return lines
