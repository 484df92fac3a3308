"""Counts for `/metrics` (Prometheus): requests by method and status, and how long they took."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest


class Figures:
    """One process's counters."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "ngomon_requests", "Requests answered", ["method", "status"], registry=self._registry
        )
        self._seconds = Histogram("ngomon_request_seconds", "Time to answer", registry=self._registry)
        self._known: dict[tuple[str, int], Counter] = {}

    def request(self, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        counter = self._known.get((method, status))
        if counter is None:
            shown = (
                method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "OTHER"
            )
            counter = self._known[(method, status)] = self._requests.labels(shown, str(status))
        counter.inc()
        self._seconds.observe(seconds)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
