"""Counts for `/metrics` (Prometheus): requests by method and status, how long they took, and alarms."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from backend.alarms import raised
from backend.flows import started

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Figures:
    """One process's counters: plain numbers while it serves, metrics when somebody asks."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def request(self, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests[method if method in METHODS else "OTHER", status] += 1
        self._buckets[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants them; called by the registry."""
        requests = CounterMetricFamily("ngomon_requests", "Requests answered", labels=["method", "status"])
        for (method, status), count in self._requests.items():
            requests.add_metric([method, str(status)], count)
        yield requests
        bounds = [*map(str, BOUNDS), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(self._buckets)), strict=True))
        yield HistogramMetricFamily("ngomon_request_seconds", "Time to answer", buckets, self._seconds)
        alarms = CounterMetricFamily("ngomon_alarms", "What an operator must look at", labels=["alarm"])
        for name, count in raised.items():
            alarms.add_metric([name], count)
        yield alarms
        flows = CounterMetricFamily("ngomon_flows", "Sign-ins and the like that were begun", labels=["kind"])
        for kind, count in started.items():
            flows.add_metric([kind], count)
        yield flows

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)
