"""What finds work only in what somebody has written is not begun while nobody has (rule 1002)."""

from __future__ import annotations

from contextlib import closing

import pytest

from backend import figures
from backend.counting import count
from backend.db import Database
from backend.watch import OnceWritten, Watch


class Job:
    """Counts how often it is begun."""

    def __init__(self) -> None:
        self.begun, self.fails = 0, False

    async def __call__(self) -> None:
        """One round."""
        self.begun += 1
        if self.fails:
            raise BrokenPipeError


async def written(db: Database) -> None:
    """Somebody has."""
    count("ngomon_sms", "sent")
    await figures.keep(db)


async def test_a_job_is_begun_once_for_what_was_written_and_again_when_it_failed(database: Database) -> None:
    job, due = Job(), False
    always = not database.is_sqlite  # where nobody can say whether somebody has written
    with closing(Watch(database)) as watch:
        looking = OnceWritten(watch, job, due=lambda: due)

        async def begun() -> int:
            before = job.begun
            await looking()
            return job.begun - before

        assert [await begun() for _ in "123"] == ([1, 1, 1] if always else [1, 0, 0])
        await written(database)
        assert [await begun() for _ in "12"] == ([1, 1] if always else [1, 0])
        due = True
        assert [await begun() for _ in "12"] == [1, 1]
        due, job.fails = False, True
        await written(database)
        for _ in "12":
            with pytest.raises(BrokenPipeError):
                await looking()
        job.fails = False
        assert [await begun() for _ in "12"] == ([1, 1] if always else [1, 0])


async def test_what_is_written_while_the_job_runs_is_looked_at_by_the_next_round(database: Database) -> None:
    begun = 0

    async def job() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            await written(database)

    with closing(Watch(database)) as watch:
        looking = OnceWritten(watch, job)
        await looking()
        await looking()
    assert begun == 2
