"""What the engine knows of how many rows there are: without it a look-up takes the wrong index, for seconds (rule 912).

SQLite looks by itself at what it has been told to look at, PostgreSQL when its own housekeeper comes; neither may be
there when a province has just been imported.
"""

from __future__ import annotations

from sqlalchemy import text

from backend.db import Database

EVERY_TABLE_A_SAMPLE = (
    0x10012  # PRAGMA optimize: not only what this connection asked for, and some rows of each index
)
GROWN = """
SELECT relid::regclass::text FROM pg_stat_user_tables
WHERE n_mod_since_analyze > 500 + n_live_tup / 10 ORDER BY relid
"""


async def refresh(db: Database, *, imported: bool = False) -> None:
    """Count again what has changed much since it was counted; milliseconds where nothing has.

    What was `imported` a moment ago PostgreSQL has not noticed yet: everything is looked at.
    """
    if db.is_sqlite:
        async with db.write() as tx:
            await tx.execute(text(f"PRAGMA optimize={EVERY_TABLE_A_SAMPLE}"))
        return
    async with db.read() as tx:
        grown = [""] if imported else list(await tx.scalars(text(GROWN)))
    for table in grown:
        async with db.write() as tx:
            await tx.execute(text(f"ANALYZE {table}"))
