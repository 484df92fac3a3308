"""Of somebody who was erased nothing is left in the files of the database (A19)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, select

from backend.crypto import KeyRing, Unreadable, new_secret_key
from backend.db import Base, Database
from backend.flows import Flow
from backend.kit import Kit
from backend.sealed import columns
from ngomon.admission import admit
from ngomon.rekey import rotate
from ngomon.tasks import sweep
from tests.parts.postgres import Postgres
from tests.service import Service, running

HASHES = {"hash", "digest", "seal", "key_id", "proof", "retired", "access_hash", "data_hash"}


class Trail:
    """Every sealed value and index that has stood in the database since it was begun."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.seen: dict[bytes, str] = {}

    async def now(self) -> dict[bytes, str]:
        found: dict[bytes, str] = {}
        async with self._db.read() as tx:
            for table in Base.metadata.sorted_tables:
                for column in table.columns:
                    if isinstance(column.type, LargeBinary) and column.name not in HASHES:
                        for value in await tx.scalars(select(column).where(column.is_not(None))):
                            if len(value) >= 16:
                                found[bytes(value)] = f"{table.name}.{column.name}"
        return found

    async def mark(self) -> None:
        self.seen |= await self.now()

    async def gone(self) -> dict[bytes, str]:
        """What stood there and stands there no more."""
        left = await self.now()
        return {value: name for value, name in self.seen.items() if value not in left}


async def lives(service: Service, trail: Trail, name: str) -> Any:
    """Somebody comes, uses everything, and goes."""
    person = service.person(name)
    await trail.mark()
    login, code = await service.to_code_step(phone := service.phone(), person)
    await trail.mark()
    phone.keep((await phone.open(f"/v1/logins/{login}/otp", {"code": code})).json())
    await phone.call("PATCH", "/v1/me/identity", {"attributes": {"email": "quen@vi-du.example"}})
    await service.settled()
    await trail.mark()
    return phone


def bytes_left(files: list[Path], wanted: dict[bytes, str]) -> list[str]:
    """Which of the values stand in which file."""
    return [
        f"{wanted[value]} in {file.name}"
        for file in files
        for text in [file.read_bytes()]
        for value in wanted
        if value in text
    ]


async def test_a19_nothing_of_an_erased_person_is_left_in_the_files_of_sqlite(tmp_path: Path) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}") as service:
        trail = Trail(service.db)
        phones = [await lives(service, trail, f"Nguyễn Văn Quên {number}") for number in range(12)]
        files = [tmp_path / f"ngomon.db{end}" for end in ("", "-wal")]
        sealed = {
            value: name
            for value, name in trail.seen.items()
            if name in {"identifiers.value", "phones.number"}
        }
        assert len(bytes_left(files, sealed)) >= len(sealed) == 24, "the search finds what is there"
        for phone in phones[::2]:
            assert (await phone.call("DELETE", "/v1/me")).status_code == 204
        gone = await trail.gone()
        assert {"identifiers.value", "identifiers.blind", "phones.number", "accounts.full_name"} <= set(
            gone.values()
        )
        assert bytes_left(files, gone) == []
    assert bytes_left([file for file in tmp_path.iterdir() if file.is_file()], gone) == []


async def test_a19_nothing_sealed_that_stays_names_an_erased_person(service: Service) -> None:
    person, number = service.person("Nguyễn Văn Quên Hẳn"), service.mobile_number()
    phone = service.phone()
    login, code = await service.to_code_step(phone, person, number)
    phone.keep((await phone.open(f"/v1/logins/{login}/otp", {"code": code})).json())
    await service.settled()
    assert (await phone.call("DELETE", "/v1/me")).status_code == 204
    async with service.db.read() as tx:
        for model, column in [(one.model, one.column) for one in columns()]:
            field = getattr(model, column)
            for row, value in await tx.execute(select(model.id, field).where(field.is_not(None))):
                text = service.kit.keys.open(f"{model.__tablename__}.{column}", row, value)
                named = [part for part in (person.national_id, number[1:], "Văn Quên Hẳn") if part in text]
                assert not named, f"{model.__tablename__}.{column} still says {named}"


async def test_a19_on_postgresql_what_the_files_keep_opens_with_nothing_after_a_rotation(
    postgres: Postgres,
) -> None:
    old, new = new_secret_key(), new_secret_key()
    url = postgres.new_database("erased")
    async with running(url, NGOMON_SECRET_KEYS=old) as service:
        trail = Trail(service.db)
        phone = await lives(service, trail, "Nguyễn Văn Quên")
        assert (await phone.call("DELETE", "/v1/me")).status_code == 204
        gone = await trail.gone()
        assert "identifiers.value" in gone.values()
        both = Kit.of(KeyRing.parse(f"{new},{old}"), service.kit.limits)
        await admit(service.db, both.keys, now=service.clock.now())
        await rotate(service.db, both, lambda *_: None, now=service.clock.now())
        standing = await trail.now()
    async with running(url, NGOMON_SECRET_KEYS=new):
        pass  # it starts without the old key
    kept = [value for value in gone if postgres.files_hold(value)]
    assert kept, "the engine keeps dead rows and its own log for a while: that is what this is about"
    alone = KeyRing.parse(new)
    for value in kept:
        assert value not in standing
        if not gone[value].endswith(
            "blind"
        ):  # an index opens nothing, and without the key compares with nothing
            with pytest.raises(Unreadable):
                alone.open(gone[value], "whatever row", value)


async def test_a19_what_a_reader_kept_from_being_scrubbed_goes_with_the_next_sweep(tmp_path: Path) -> None:
    async with running(f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}") as service:
        trail = Trail(service.db)
        phone = await lives(service, trail, "Nguyễn Văn Quên")
        files = [tmp_path / f"ngomon.db{end}" for end in ("", "-wal")]
        async with service.db.read() as tx:
            await tx.scalar(select(Flow.id).limit(1))  # a snapshot from before the erasure
            assert (await phone.call("DELETE", "/v1/me")).status_code == 204
            gone = await trail.gone()
            assert bytes_left(files, gone), "the reader may still ask for it"
        await sweep(service.db, service.kit.limits, service.clock.now())
        assert bytes_left(files, gone) == []
