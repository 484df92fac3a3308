"""What is left after the kills: database, journal and downstream system must tell the same story, once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from backend.db import Database
from bench.office import NAMES, Office
from bench.town import Town
from tests.checker import Broken, check

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
REQUESTS = "SELECT id::text, status, account_id::text FROM role_requests WHERE id = ANY($1::uuid[])"
STEPS = """SELECT request_id::text, COUNT(*) AS steps, COUNT(*) FILTER (WHERE decision = 'approved') AS said
           FROM request_steps WHERE request_id = ANY($1::uuid[]) GROUP BY 1"""
FACTS = """SELECT fact::json->>'request' AS request, COUNT(*) AS times FROM journal
           WHERE tag = 'role.request_decided' AND fact::json->>'request' = ANY($1) GROUP BY 1"""
ROLES = """SELECT request_id::text, state, COUNT(*) AS times FROM roles
           WHERE request_id = ANY($1::uuid[]) GROUP BY 1, 2"""
DELIVERIES = """SELECT request_id::text, state, COUNT(*) AS times FROM deliveries
                WHERE request_id = ANY($1::uuid[]) GROUP BY 1, 2"""
ACKNOWLEDGED_TWICE = """SELECT COUNT(*) FROM (SELECT subject, fact::json->>'version' FROM journal
                        WHERE tag = 'sync.delivered' GROUP BY 1, 2 HAVING COUNT(*) > 1) twice"""


async def decisions(database: Any, requests: list[str], acknowledged: set[str]) -> dict[str, int]:
    """Lost, doubled and half decisions, and deliveries that are not exactly one and done."""
    rows = {row["id"]: row["status"] for row in await database.fetch(REQUESTS, requests)}
    steps = {row["request_id"]: (row["steps"], row["said"]) for row in await database.fetch(STEPS, requests)}
    facts = {row["request"]: row["times"] for row in await database.fetch(FACTS, requests)}
    active = Counter(
        {
            row["request_id"]: row["times"]
            for row in await database.fetch(ROLES, requests)
            if row["state"] == "active"
        }
    )
    sent = await database.fetch(DELIVERIES, requests)
    done = Counter({row["request_id"]: row["times"] for row in sent if row["state"] == "done"})
    total: Counter[str] = Counter()
    for row in sent:
        total[row["request_id"]] += row["times"]
    whole = {
        one
        for one in requests
        if rows.get(one) == "approved" and steps[one][0] == steps[one][1] and active[one] == 1
    }
    return {
        "decisions_lost": len(acknowledged - {one for one, status in rows.items() if status == "approved"}),
        "decisions_doubled": sum(times > 1 for times in facts.values())
        + sum(times > 1 for times in active.values()),
        "decisions_half": len(set(requests) - whole),
        "decisions_without_fact": sum(facts.get(one, 0) == 0 for one in requests),
        "deliveries_lost": sum(done[one] == 0 for one in requests),
        "deliveries_doubled": sum(total[one] > 1 for one in requests)
        + await database.fetchval(ACKNOWLEDGED_TWICE),
        "deliveries_unfinished": sum(row["times"] for row in sent if row["state"] != "done"),
    }


async def downstream(office: Office, unit: dict[str, str]) -> dict[str, int]:
    """What the system holds: everybody once, in force, in the right unit, in each group once."""
    users, groups = office.scim.users(), office.scim.groups()
    times = Counter(user.get("externalId") for user in users)
    right = {
        str(user.get("externalId"))
        for user in users
        if user.get("active")
        and user.get(ENTERPRISE, {}).get("department") == NAMES[unit.get(str(user.get("externalId")), "CR")]
    }
    members = Counter(
        (group["id"], member["value"]) for group in groups for member in group.get("members", [])
    )
    held = {user["id"] for user in users}
    return {
        "downstream_people": len(users),
        "downstream_missing_or_wrong": len(set(office.accounts) - right),
        "downstream_doubled": sum(count > 1 for count in times.values())
        + sum(count > 1 for count in members.values()),
        "downstream_strangers": len(set(times) - set(office.accounts))
        + len({one for _, one in members} - held),
        "downstream_without_group": len(held - {one for _, one in members}),
    }


async def invariants(town: Town) -> list[str]:
    """Every promise of tests/checker.py, the walk along the journal included."""
    database = Database(town.environ["NGOMON_DATABASE_URL"])
    try:
        await check(database, town.kit)
    except Broken as broken:
        return str(broken).split("\n")
    finally:
        await database.close()
    return []


async def waiting(database: Any) -> int:
    """Deliveries that are not at their end, and transfers whose day has come and that are not in force."""
    left: int = await database.fetchval(
        "SELECT COUNT(*) FROM deliveries WHERE state IN ('pending', 'leased')"
    )
    due: int = await database.fetchval(
        "SELECT COUNT(*) FROM role_requests WHERE status = 'approved' AND applied_at IS NULL AND effective_on <= $1",
        await database.fetchval("SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"),
    )
    return left + due
