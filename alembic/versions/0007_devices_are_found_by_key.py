"""devices are found by their key, and flows by their account."""

from __future__ import annotations

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index("ix_sessions_jkt", "sessions", ["jkt"])
    op.create_index("ix_flows_account_id", "flows", ["account_id"])


def downgrade() -> None:
    op.drop_index("ix_flows_account_id", "flows")
    op.drop_index("ix_sessions_jkt", "sessions")
