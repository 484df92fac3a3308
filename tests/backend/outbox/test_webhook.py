"""A system that is told by webhook: verified by the specification's own library, judged by its answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from backend.outbox import states, systems
from backend.outbox.models import System
from backend.outbox.reconcile import Comparison
from backend.outside.connectors import webhook
from backend.outside.connectors.webhook import Secrets, key_of, new_secret
from tests.backend.outbox.conftest import DOCS, HUE, World
from tests.parts.processes import within
from tests.parts.receiver import Receiver, receiver

SECRET = new_secret()


@pytest_asyncio.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver(SECRET) as running:
        yield running


async def connected(world: World, hook: Receiver) -> System:
    return await world.system(hook.url, kind="webhook", token=Secrets(SECRET).written())


async def test_what_was_decided_is_told_signed_with_the_version(world: World, hook: Receiver) -> None:
    system, account = await connected(world, hook), await world.person()
    async with world.working():
        version = await world.decide(account, system, title="Trưởng phòng")
        await world.until(account, "synced")
        await world.decide(account, system, active=False)
        await world.until_version(account, version + 1)
    assert [told["type"] for told in hook.told] == ["person.changed"] * 2
    first, last = (told["data"] for told in hook.told)
    assert (first["externalId"], first["title"], first["active"]) == (str(account), "Trưởng phòng", True)
    assert first["groups"] == [{"value": ref.external_id, "display": ref.display_name} for ref in (HUE, DOCS)]
    assert (last["active"], last["groups"]) == (False, [])
    assert [first["version"], last["version"]] == [version, version + 1]
    rows = await world.deliveries(account)
    assert hook.names == [f"{row.id}.{row.version}" for row in rows]
    assert hook.refused == 0


async def test_a_message_keeps_its_identifier_when_it_is_sent_again(world: World, hook: Receiver) -> None:
    system, account = await connected(world, hook), await world.person()
    hook.answers = [b"500 Internal Server Error"]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    assert len(hook.names) == 2 and len(set(hook.names)) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"400 Bad Request", "rejected"),
        (b"413 Content Too Large", "rejected_size"),
        (b"422 Unprocessable Content", "rejected_content"),
    ],
)
async def test_a_refusal_of_this_message_ends_this_delivery(
    on_sqlite: World, hook: Receiver, answer: bytes, code: str
) -> None:
    world = on_sqlite
    system, account = await connected(world, hook), await world.person()
    hook.answers = [answer]
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "dead")
    (row,) = await world.deliveries(account)
    assert row.error == code
    assert (await world.system_now(system)).failures == 0


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"404 Not Found", "refused"),
        (b"401 Unauthorized", "credentials_refused"),
        (b"302 Found", "redirected"),
        (b"503 Service Unavailable", "status_503"),
    ],
)
async def test_any_other_answer_is_the_systems_trouble_and_gives_up_on_nobody(
    on_sqlite: World, hook: Receiver, answer: bytes, code: str
) -> None:
    world = on_sqlite
    system, account = await connected(world, hook), await world.person()
    hook.answers = [answer] * 99
    async with world.working():
        await world.decide(account, system)
        async with within(20, "a failure"):
            while not (rows := await world.deliveries(account))[0].error:
                await asyncio.sleep(0.03)
        assert (await world.system_now(system)).failures >= 1
        hook.answers.clear()
        world.pass_time(seconds=400)
        await world.until(account, "synced")
    assert rows[0].error == code


async def test_a_system_that_answers_410_is_told_nothing_more_and_nothing_is_lost(
    world: World, hook: Receiver
) -> None:
    system, account = await connected(world, hook), await world.person()
    hook.answers = [b"410 Gone"]
    async with world.working():
        await world.decide(account, system)
        async with within(20, "the end of the system"):
            while (await world.system_now(system)).disabled_at is None:
                await asyncio.sleep(0.03)
        world.pass_time(days=1)
        other = await world.person()
        await world.decide(other, system)
    assert len(hook.names) == 1
    (row,) = await world.deliveries(account)
    assert (row.state, row.error) == ("pending", "gone")
    assert "system.disabled" in await world.facts()


async def test_both_secrets_sign_while_one_is_being_changed(world: World, hook: Receiver) -> None:
    system, account = await connected(world, hook), await world.person()
    async with world.db.write() as tx:
        fresh = await systems.rotate_secret(tx, world.kit, system.name, by=None, now=world.clock.now())
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
        hook.secrets = [fresh]
        version = await world.decide(account, system, title="Phó Trưởng phòng")
        await world.until_version(account, version)
    assert (len(hook.told), hook.refused) == (2, 0)
    assert "system.secret_rotated" in await world.facts()


def test_an_old_secret_signs_no_longer_than_its_overlap() -> None:
    now, old, fresh = datetime.now(UTC), new_secret(), new_secret()
    both = Secrets(old).followed_by(fresh, now + timedelta(days=1))
    assert Secrets.read(both.written()) == both
    assert both.at(now) == [key_of(fresh), key_of(old)]
    assert both.at(now + timedelta(days=1)) == [key_of(fresh)]


async def test_what_cannot_be_read_back_is_said_and_not_compared(world: World, hook: Receiver) -> None:
    system = await connected(world, hook)
    comparison = Comparison(world.db, world.kit, world.desired, world.people, world.clock, world.http)
    with pytest.raises(systems.SystemTrouble, match="cannot be asked"):
        async for _ in comparison.run(system):
            pass
    async with world.db.read() as tx:
        (seen,) = await states.overview(tx, world.clock.now())
    assert seen.learnt == ["no_read_back"]


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_c2hvcnQ=", "c2hvcnQ=", "whsec_%%%", "whsec_" + "A" * 100]
)
def test_a_secret_is_24_to_64_bytes_behind_its_mark(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        webhook.key_of(secret)
