"""`ngomon audit`: the journal, proved from end to end, and its head to be kept elsewhere."""

from __future__ import annotations

from pathlib import Path

import rich_click as click
from rich.progress import Progress

from backend.chain import Mark
from backend.crypto import KeyTrouble
from backend.db import Database
from backend.kit import Kit
from backend.roles.owed import owed
from backend.settings import Settings
from ngomon.commands import opened, out, reading
from ngomon.commands.wrong import Wrong


@click.group(help="The journal.")
def audit() -> None:
    """Audit commands."""


@audit.command(help="Walk the hash chain; exit 1 at the first broken entry.")
@click.option(
    "--since",
    metavar="HEAD",
    multiple=True,
    help="A head that was kept elsewhere, or a file of them, one a line.",
)
def verify(since: tuple[str, ...]) -> None:
    """Finds any edit, gap or cut tail, and a role or decision that no entry speaks of."""
    marks = [mark for given in since for mark in _marks(given)]

    async def check(db: Database, kit: Kit, _: Settings) -> tuple[int, str | None]:
        if strange := [mark for mark in marks if not kit.journal.made(mark)]:
            raise Wrong(f"head {strange[0].seq} was not made with this installation's keys")
        with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
            bar = progress.add_task("journal", total=None)

            def seen(total: int, count: int) -> None:
                progress.update(bar, total=total, completed=count)

            async with db.read() as tx:
                return await kit.journal.verify(tx, since=marks, witness=await owed(tx), progress=seen)

    try:
        count, trouble = opened(check, storage_only=True)
    except Wrong as wrong:
        if isinstance(wrong.__cause__, KeyTrouble):
            raise Wrong(f"cannot check: {wrong}") from wrong
        raise
    if trouble:
        raise Wrong(f"journal is broken: {trouble} ({count} entries before it are good)")
    kept = f", {len(marks)} kept heads among them" if marks else ""
    out.print(f"journal is whole: {count} entries{kept}")


@audit.command(help="Print the journal's head, to be kept elsewhere for `audit verify --since`.")
def head() -> None:
    """One line; it names nobody."""
    mark = opened(reading(lambda tx, kit, _: kit.journal.mark(tx)), storage_only=True)
    if mark is None:
        raise Wrong("the journal has no head yet")
    out.print(str(mark))


def _marks(given: str) -> list[Mark]:
    """One head, or those of a file; of its lines the last word is the head."""
    path = Path(given)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else [given]
    try:
        return [Mark.parse(line.split()[-1]) for line in lines if line.strip()]
    except ValueError as error:
        raise Wrong(f"--since {given}: neither a head nor a file of heads") from error
