"""`ngomon migrate-store --to URL`: from SQLite to PostgreSQL."""

from __future__ import annotations

import rich_click as click
from rich.progress import Progress

from backend.db import Database
from backend.kit import Kit
from backend.settings import Settings
from backend.settings_addresses import POSTGRES, why_no_database
from ngomon import moving, server
from ngomon.commands import opened, out, show
from ngomon.commands.wrong import Wrong


def _postgres(_: click.Context, parameter: click.Parameter, url: str) -> str:
    wrong = why_no_database(url)
    if wrong or not url.startswith(POSTGRES):
        raise click.BadParameter(f"{parameter.opts[0]} {wrong or f'must begin with {POSTGRES}'}")
    return url


@click.command(
    name="migrate-store", help="Copy SQLite into an empty PostgreSQL, and prove that all of it is there."
)
@click.option(
    "--to", "url", required=True, callback=_postgres, help="postgresql+asyncpg://user:password@host/database"
)
def migrate_store(url: str) -> None:
    """Nothing may run meanwhile. Stopped and started again it goes on; NGOMON_DATABASE_URL is changed by you, then."""

    async def copy(source: Database, kit: Kit, _: Settings) -> dict[str, int]:
        target = Database(url)
        with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
            bar = progress.add_task("copying", total=None)

            def told(table: str, done: int, total: int) -> None:
                progress.update(bar, description=table, completed=done, total=total)

            try:
                with server.only_one(source):
                    return await moving.move(source, target, kit, told)
            finally:
                await target.close()

    try:
        counts = opened(copy, storage_only=True)
    except moving.MoveTrouble as trouble:
        raise Wrong(str(trouble)) from trouble
    show(("table", "rows"), [(name, str(count)) for name, count in counts.items() if count])
    out.print(f"{sum(counts.values())} rows copied; counts and sums agree, the journal is whole on both")
    out.print("now set NGOMON_DATABASE_URL to the new address everywhere, and start")
