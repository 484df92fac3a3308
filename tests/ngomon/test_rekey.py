"""Keys rotate beside a living service: every look-up is right before, between and after (rule 905)."""

from __future__ import annotations

from pathlib import Path

from backend import likeness
from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.identity.numbers import TAX_CODE, identifier_row
from backend.accounts.self import attributes
from backend.crypto import KeyRing, new_secret_key
from backend.kit import Kit
from ngomon.admission import admit
from ngomon.rekey import rotate
from tests.checker import check
from tests.service import running

TAX = "9000000001-001"


async def test_an_old_key_can_be_given_up_after_the_rotation(tmp_path: Path) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path / 'keys.db'}") as service:
        person = service.person("Nguyễn Thị Khóa")
        await service.sign_in(person)
        async with service.db.write() as tx:
            account = await numbers.holder_of(tx, service.kit, person.national_id)
            assert account is not None
            now = service.clock.now()
            tx.add(identifier_row(service.kit, account, TAX_CODE, TAX, source="certificate", now=now))
            await attributes.put(tx, service.kit, account, "email", "k@vi-du.example", source="self", now=now)
        old = service.app.settings.secret_keys
        newest = new_secret_key()
        both = Kit.of(KeyRing.parse(f"{newest},{old}"), service.kit.limits)
        async with service.db.read() as tx:
            assert await numbers.holder_of(tx, both, person.national_id) is not None
        await admit(service.db, both.keys, now=now)
        heard: dict[str, int] = {}
        report = await rotate(service.db, both, heard.__setitem__, now=now)
        assert report.rewritten == sum(heard.values()) > 0
        assert heard["identifiers.value"] == 2 and heard["phones.number"] == 1
        assert heard["attributes.value"] == 1
        again = await rotate(service.db, both, heard.__setitem__, now=now)
        assert again.rewritten == 0
        alone = Kit.of(KeyRing.parse(newest), service.kit.limits)
        async with service.db.read() as tx:
            assert await numbers.holder_of(tx, alone, person.national_id) == account
            assert await numbers.holder_of(tx, alone, TAX, TAX_CODE) == account, "each kind has its own index"
            assert await numbers.holder_of(tx, service.kit, person.national_id) is None
            found = await tx.get_one(Account, account)
            assert found.person_blind in likeness.blinds_of(alone.keys, person.full_name, person.birth_date)
        await check(service.db, both)
        await check(service.db, alone)
