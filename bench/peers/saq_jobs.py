"""A queue in an environment of its own: SAQ on PostgreSQL; each job is one post. As `procrastinate_jobs.py`."""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import psycopg
from saq import Queue, Worker

posts: list[aiohttp.ClientSession] = []


async def deliver(_, *, job):
    """One post."""
    async with posts[0].post(os.environ["SINK"], json={"id": job}) as answer:
        answer.raise_for_status()


async def main(what, number):
    """Do what is asked."""
    queue = Queue.from_url(os.environ["DATABASE"])
    await queue.connect()
    if what == "work":
        async with aiohttp.ClientSession() as session:
            posts.append(session)
            await Worker(queue, functions=[("deliver", deliver)], concurrency=number).start()
    async with await psycopg.AsyncConnection.connect(os.environ["DATABASE"], autocommit=True) as business:
        if what == "setup":
            await business.execute("CREATE TABLE business (id bigserial PRIMARY KEY, said text)")
        for job in range(number if what == "enqueue" else 0):
            await business.execute("INSERT INTO business (said) VALUES ('x')")
            await queue.enqueue("deliver", job=job, retries=5, timeout=30)
    await queue.disconnect()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
