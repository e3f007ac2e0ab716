"""Prometheus metrics of intake. No label or value concerns a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from services.runtime.http.metrics import tasks_up


class Metrics:
    """Counters may be lost on a crash; they are telemetry, the responses are not."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        outcomes = Counter("platea_intake_outcomes", "Requests that write, by how they ended", ["outcome"], registry=registry)
        self._outcome = cache(outcomes.labels)
        self.refused_batches = Counter("platea_intake_refused_batches", "Batches written again one by one", registry=registry)
        self._batches = Histogram(
            "platea_intake_batch_size", "Responses per flush", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), registry=registry
        )
        self._flushes = Histogram(
            "platea_intake_flush_seconds",
            "From sending a batch to the journal's answer",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=registry,
        )
        self._held = Counter("platea_intake_held", "Responses not taken at first, by reason", ["reason"], registry=registry)
        self._flooded = Gauge("platea_intake_flooded", "Whether a survey counts as flooded: 1, else 0", ["survey"], registry=registry)
        self._queue = Gauge("platea_intake_queue", "Responses waiting for the journal", registry=registry)

    def ended(self, outcome: str) -> None:
        """`outcome` is a problem's code, or accepted, repeated, replaced, withdrawn."""
        self._outcome(outcome).inc()

    def wrote(self, size: int, seconds: float) -> None:
        self._batches.observe(size)
        self._flushes.observe(seconds)

    def held(self, reason: str) -> None:
        """`reason` is flooded, hurried or trapped."""
        self._held.labels(reason).inc()

    def flooded(self, survey: str, flooded: Callable[[], bool]) -> None:
        self._flooded.labels(survey).set_function(flooded)

    def queue(self, length: Callable[[], int]) -> None:
        self._queue.set_function(length)

    def tasks(self, up: Callable[[], dict[str, bool]]) -> None:
        """`up`: returns for each background task whether it runs."""
        tasks_up(self._registry, "intake", up)

    def text(self) -> bytes:
        return generate_latest(self._registry)
