"""What all processes have counted, in the form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from backend.alarms import NAMES
from backend.counting import FIGURES, MICRO, MORE, SUM, Figure, Key

SYSTEM = "system"


def figures_of(totals: Mapping[Key, int], systems: Mapping[str, str]) -> Iterator[Metric]:
    """Every figure; `systems` gives a system's name by its identifier, and one that is gone is left out."""
    for name, figure in FIGURES.items():
        found = {labels: value for (one, labels), value in totals.items() if one == name}
        if SYSTEM in figure.labels:
            found = {
                (systems[labels[0]], *labels[1:]): value
                for labels, value in found.items()
                if labels[0] in systems
            }
        if name == "ngomon_alarms":
            found = {(alarm,): 0 for alarm in NAMES} | found  # zeros, so that growth is seen
        yield _histogram(name, figure, found) if figure.bounds else _counter(name, figure, found)


def _counter(name: str, figure: Figure, found: Mapping[tuple[str, ...], int]) -> Metric:
    counter = CounterMetricFamily(name, figure.help, labels=list(figure.labels))
    for labels, value in sorted(found.items()):
        counter.add_metric(labels, value)
    return counter


def _histogram(name: str, figure: Figure, found: Mapping[tuple[str, ...], int]) -> Metric:
    bounds = [*(str(float(bound)) for bound in figure.bounds), MORE]
    histogram = HistogramMetricFamily(name, figure.help, labels=list(figure.labels))
    for labels in sorted({labels[:-1] for labels in found} or ({()} if not figure.labels else set())):
        heights = accumulate(found.get((*labels, bound), 0) for bound in bounds)
        buckets = [(bound, float(height)) for bound, height in zip(bounds, heights, strict=True)]
        histogram.add_metric(labels, buckets, found.get((*labels, SUM), 0) / MICRO)
    return histogram
