"""ways in, recovery and support."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_denied", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notices_at"), ["at"], unique=False)

    op.create_table(
        "support_case_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_support_case_days")),
    )
    op.create_table(
        "support_desks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("mailbox", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_desks")),
        sa.UniqueConstraint("code", name=op.f("uq_support_desks_code")),
    )
    op.create_table(
        "support_read_mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uid_validity", sa.String(length=20), nullable=False),
        sa.Column("uid", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_read_mails")),
        sa.UniqueConstraint("uid_validity", "uid", name=op.f("uq_support_read_mails_uid_validity_uid")),
    )
    op.create_table(
        "access_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.String(length=20), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=True),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_access_history_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_history")),
    )
    with op.batch_alter_table("access_history", schema=None) as batch_op:
        batch_op.create_index("ix_access_history_account_id_at", ["account_id", "at"], unique=False)

    op.create_table(
        "attributes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_attributes_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attributes")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_attributes_account_id_name")),
    )
    with op.batch_alter_table("attributes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attributes_account_id"), ["account_id"], unique=False)

    op.create_table(
        "certificates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("thumbprint", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_certificates_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("account_id", "thumbprint", name=op.f("uq_certificates_account_id_thumbprint")),
    )
    with op.batch_alter_table("certificates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_certificates_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_certificates_thumbprint"), ["thumbprint"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_consents_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consents_account_id"), ["account_id"], unique=False)

    op.create_table(
        "notice_reads",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_notice_reads_notice_id_notices")
        ),
        sa.PrimaryKeyConstraint("notice_id", "account_id", name=op.f("pk_notice_reads")),
    )
    op.create_table(
        "passwords",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(length=200), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_passwords_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_passwords")),
    )
    op.create_table(
        "phone_change_slips",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_phone_change_slips_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_change_slips")),
        sa.UniqueConstraint("code", name=op.f("uq_phone_change_slips_code")),
    )
    with op.batch_alter_table("phone_change_slips", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_phone_change_slips_account_id"), ["account_id"], unique=False)

    op.create_table(
        "support_cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("mail_address", sa.LargeBinary(), nullable=True),
        sa.Column("tag", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("desk_wrote_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("idempotency_key", sa.String(length=80), nullable=True),
        sa.Column("idempotency_print", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["desk_id"], ["support_desks.id"], name=op.f("fk_support_cases_desk_id_support_desks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_cases")),
        sa.UniqueConstraint(
            "account_id", "idempotency_key", name=op.f("uq_support_cases_account_id_idempotency_key")
        ),
        sa.UniqueConstraint("code", name=op.f("uq_support_cases_code")),
        sa.UniqueConstraint("notice_id", name=op.f("uq_support_cases_notice_id")),
    )
    with op.batch_alter_table("support_cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_support_cases_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_support_cases_desk_id"), ["desk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_support_cases_opened_at"), ["opened_at"], unique=False)

    op.create_table(
        "support_mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=True),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["desk_id"], ["support_desks.id"], name=op.f("fk_support_mails_desk_id_support_desks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_mails")),
    )
    op.create_table(
        "support_staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("desk_id", sa.Uuid(), nullable=False),
        sa.Column("national_id", sa.LargeBinary(), nullable=False),
        sa.Column("national_id_blind", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["desk_id"], ["support_desks.id"], name=op.f("fk_support_staff_desk_id_support_desks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_staff")),
    )
    with op.batch_alter_table("support_staff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_support_staff_desk_id"), ["desk_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_support_staff_national_id_blind"), ["national_id_blind"], unique=False
        )
        batch_op.create_index(
            "uq_support_staff_current",
            ["desk_id", "national_id_blind"],
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.create_table(
        "support_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("author", sa.String(length=10), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["support_cases.id"], name=op.f("fk_support_messages_case_id_support_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_messages")),
    )
    with op.batch_alter_table("support_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_support_messages_case_id"), ["case_id"], unique=False)

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=12), server_default="citizen", nullable=False))
        batch_op.add_column(
            sa.Column("vouched_by", sa.String(length=20), server_default="vneid", nullable=False)
        )
        batch_op.add_column(sa.Column("vouched_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("differs", sa.String(length=80), server_default="", nullable=False))
        batch_op.add_column(sa.Column("recovery_frozen_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("phone_changed_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("phones", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_main", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("source", sa.String(length=20), server_default="code", nullable=False))
        batch_op.add_column(sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("systems", schema=None) as batch_op:
        batch_op.add_column(sa.Column("options", sa.Text(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("keeps_mail", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("systems", schema=None) as batch_op:
        batch_op.drop_column("keeps_mail")
        batch_op.drop_column("options")

    with op.batch_alter_table("phones", schema=None) as batch_op:
        batch_op.drop_column("last_used_at")
        batch_op.drop_column("source")
        batch_op.drop_column("is_main")

    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_column("phone_changed_at")
        batch_op.drop_column("recovery_frozen_at")
        batch_op.drop_column("differs")
        batch_op.drop_column("vouched_at")
        batch_op.drop_column("vouched_by")
        batch_op.drop_column("kind")

    with op.batch_alter_table("support_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_support_messages_case_id"))

    op.drop_table("support_messages")
    with op.batch_alter_table("support_staff", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_support_staff_current",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_support_staff_national_id_blind"))
        batch_op.drop_index(batch_op.f("ix_support_staff_desk_id"))

    op.drop_table("support_staff")
    op.drop_table("support_mails")
    with op.batch_alter_table("support_cases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_support_cases_opened_at"))
        batch_op.drop_index(batch_op.f("ix_support_cases_desk_id"))
        batch_op.drop_index(batch_op.f("ix_support_cases_account_id"))

    op.drop_table("support_cases")
    with op.batch_alter_table("phone_change_slips", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_phone_change_slips_account_id"))

    op.drop_table("phone_change_slips")
    op.drop_table("passwords")
    op.drop_table("notice_reads")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consents_account_id"))

    op.drop_table("consents")
    with op.batch_alter_table("certificates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_certificates_thumbprint"))
        batch_op.drop_index(batch_op.f("ix_certificates_account_id"))

    op.drop_table("certificates")
    with op.batch_alter_table("attributes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attributes_account_id"))

    op.drop_table("attributes")
    with op.batch_alter_table("access_history", schema=None) as batch_op:
        batch_op.drop_index("ix_access_history_account_id_at")

    op.drop_table("access_history")
    op.drop_table("support_read_mails")
    op.drop_table("support_desks")
    op.drop_table("support_case_days")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notices_at"))
        batch_op.drop_index(batch_op.f("ix_notices_account_id"))

    op.drop_table("notices")
