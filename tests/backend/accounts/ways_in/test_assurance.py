"""How old a sign-in may be for deciding about others (case A11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.accounts.ways_in import assurance


def test_a11_a_day_ends_at_midnight_in_viet_nam() -> None:
    now = datetime.fromisoformat("2026-03-02T00:10:00+07:00")
    assert assurance.stale(now - timedelta(minutes=10), now=now) is None
    assert assurance.stale(now - timedelta(minutes=11), now=now) is not None
    noon = now + timedelta(hours=12)
    assert assurance.stale(noon - timedelta(minutes=15), now=noon, max_age=900) is None
    late = assurance.stale(noon - timedelta(minutes=16), now=noon, max_age=900)
    assert late is not None and late.facts == {"required": {"max_age": 900}}
