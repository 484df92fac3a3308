"""units are found whatever apostrophe their names are written with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0036"
down_revision: str | None = "0035"
branch_labels: str | None = None
depends_on: str | None = None

APOSTROPHES = "'\u2019\u2018\u02bc`\u00b4"


def upgrade() -> None:
    units = sa.table("units", sa.column("folded", sa.String))
    bare: sa.ColumnElement[str] = units.c.folded
    for sign in APOSTROPHES:
        bare = sa.func.replace(bare, sign, "")
    op.execute(units.update().values(folded=bare))


def downgrade() -> None:
    """What a search compares says nothing of what was left out; the next import of units writes it anew."""
