"""A durable queue in an environment of its own: procrastinate on PostgreSQL; each job is one post.

`setup`; `enqueue NUMBER`, each with a row of business in a statement of its own; `work AT_ONCE` until it is ended.
`DATABASE` and `SINK` say where.
"""
# mypy: ignore-errors

from __future__ import annotations

import asyncio
import os
import sys

import aiohttp
import procrastinate

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE"], min_size=2, max_size=20)
)
posts: list[aiohttp.ClientSession] = []


@app.task(name="deliver", queue="deliveries", retry=5)
async def deliver(job):
    """One post."""
    async with posts[0].post(os.environ["SINK"], json={"id": job}) as answer:
        answer.raise_for_status()


async def main(what, number):
    """Do what is asked."""
    async with app.open_async():
        if what == "setup":
            await app.schema_manager.apply_schema_async()
            await app.connector.execute_query_async(
                "CREATE TABLE business (id bigserial PRIMARY KEY, said text)"
            )
        elif what == "enqueue":
            for job in range(number):
                await app.connector.execute_query_async("INSERT INTO business (said) VALUES ('x')")
                await deliver.defer_async(job=job)
        else:
            async with aiohttp.ClientSession() as session:
                posts.append(session)
                await app.run_worker_async(
                    queues=["deliveries"], concurrency=number, delete_jobs="successful"
                )


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
