"""Metrics in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from litestar import Response
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class _Computed(Collector):
    def __init__(self, family: Callable[[], Metric]) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        yield self._family()


def gauge(registry: CollectorRegistry, name: str, documentation: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
    """Registers a gauge. `read`: returns a value for each value of the label."""

    def family() -> Metric:
        made = GaugeMetricFamily(name, documentation, labels=[label])
        for value, number in read().items():
            made.add_metric([value], number)
        return made

    registry.register(_Computed(family))


def counter(registry: CollectorRegistry, name: str, documentation: str, read: Callable[[], float]) -> None:
    """Registers a counter that is kept elsewhere."""
    registry.register(_Computed(lambda: CounterMetricFamily(name, documentation, value=read())))


def tasks_up(registry: CollectorRegistry, service: str, up: Callable[[], Mapping[str, bool]]) -> None:
    """Registers the gauge of a service's background tasks. `up`: as Supervisor.up."""
    gauge(registry, f"platea_{service}_task_up", "Whether a background task runs: 1, else 0", "task", up)


def exposition(text: bytes) -> Response[bytes]:
    """`text`: what prometheus_client.generate_latest returned."""
    return Response(text, media_type="text/plain; version=0.0.4", headers={"Cache-Control": "no-store"})
