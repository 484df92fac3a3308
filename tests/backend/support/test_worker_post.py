"""On PostgreSQL the worker sees to the desk's post, in a process of its own."""

from __future__ import annotations

import signal

from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.kit import Kit
from backend.limits import Limits
from backend.outside.clock import Clock
from backend.support import codes, desks
from bench.town import ngomon
from ngomon.migrations import migrate
from tests.backend.support.test_post import letter
from tests.parts.mailbox import MailboxPart
from tests.parts.postgres import Postgres
from tests.parts.processes import Part


async def test_the_worker_answers_mails(postgres: Postgres, mailbox: MailboxPart) -> None:
    url, keys = postgres.new_database("post_worker"), new_secret_key()
    await migrate(url)
    db, kit = Database(url), Kit.of(KeyRing.parse(keys), Limits())
    async with db.write() as tx:
        about = {"name": "Đội hỗ trợ", "mailbox": "hotro@hue.example", "phone": "19001075"}
        await desks.add(tx, kit, "HUE", **about, now=Clock().now())
    await db.close()
    environment = {
        "NGOMON_DATABASE_URL": url,
        "NGOMON_SECRET_KEYS": keys,
        "NGOMON_SUPPORT_IMAP_URL": mailbox.imap_url,
        "NGOMON_SUPPORT_SMTP_URL": mailbox.smtp_url,
        "NGOMON_SUPPORT_POLL_SECONDS": "1",
    }
    worker = Part("worker", ngomon("worker"), environment=environment)
    mailbox.deliver(letter())
    worker.start(lambda: True)
    try:
        (answer,) = await mailbox.sends(1, patience=30)
        assert codes.is_code(answer["Subject"].removeprefix("[0010#DVC] "))
        assert await mailbox.all_marked() == [{"$NgoMonCase"}]
    finally:
        worker.stop(signal.SIGTERM)
