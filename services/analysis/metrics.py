"""Prometheus metrics of analysis. Counters restart with the process: they are telemetry, the statistics are not."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

recorded = Counter("platea_analysis_recorded", "Responses recorded, changed or withdrawn", ["change"], registry=REGISTRY)
ignored = Counter("platea_analysis_ignored", "Events that changed nothing: repetitions and late comers", registry=REGISTRY)
unreadable = Counter("platea_analysis_unreadable", "Events that were parked, by reason", ["reason"], registry=REGISTRY)
parked = Gauge("platea_analysis_parked", "Events that could not be read or stored, and were not given up", ["partition"], registry=REGISTRY)
waiting = Gauge(
    "platea_analysis_waiting", "Events that are recorded once this version knows what they answer", ["partition"], registry=REGISTRY
)
erased = Counter("platea_analysis_erased", "Messages deleted from the journal", registry=REGISTRY)
batches = Histogram(
    "platea_analysis_batch_events", "Events recorded per transaction", registry=REGISTRY, buckets=(1, 3, 10, 30, 100, 300, 1000)
)
seconds = Histogram(
    "platea_analysis_batch_seconds", "Time from the first look at a batch until it counts", registry=REGISTRY,
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)  # fmt: skip
lag = Gauge("platea_analysis_lag_events", "Events in the journal that are not recorded yet", ["partition"], registry=REGISTRY)
oldest = Gauge(
    "platea_analysis_oldest_unrecorded_seconds", "How long the oldest event that is not recorded waits", ["partition"], registry=REGISTRY
)
held = Gauge("platea_analysis_partition_held", "Whether some worker counts the partition: 1, else 0", ["partition"], registry=REGISTRY)
published = Counter("platea_analysis_published", "Snapshots published", ["survey"], registry=REGISTRY)
checkpoints = Counter("platea_analysis_checkpoints", "Checkpoints written", registry=REGISTRY)
