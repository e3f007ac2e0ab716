"""What is kept elsewhere is read at the moment somebody asks."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.runtime.http import metrics


def told(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {(sample.name, ",".join(sample.labels.values())): sample.value for family in families for sample in family.samples}


def test_gauges_and_counters_follow_what_they_read() -> None:
    registry, jobs, refused, tasks = CollectorRegistry(), {"done": 1}, [0], {"publish": True}
    metrics.gauge(registry, "platea_test_jobs", "Jobs", "status", lambda: jobs)
    metrics.counter(registry, "platea_test_refused", "Refused", lambda: refused[0])
    metrics.tasks_up(registry, "test", lambda: tasks)
    assert told(registry) == {("platea_test_jobs", "done"): 1, ("platea_test_refused_total", ""): 0, ("platea_test_task_up", "publish"): 1}
    jobs |= {"done": 2, 'a "b"\n': 3}
    refused[0], tasks["publish"] = 4, False
    assert told(registry) == {
        ("platea_test_jobs", "done"): 2,
        ("platea_test_jobs", 'a "b"\n'): 3,
        ("platea_test_refused_total", ""): 4,
        ("platea_test_task_up", "publish"): 0,
    }


def test_metrics_are_text_that_no_cache_keeps() -> None:
    answer = metrics.exposition(b"platea_up 1\n")
    assert (answer.content, answer.media_type) == (b"platea_up 1\n", "text/plain; version=0.0.4")
    assert answer.headers["Cache-Control"] == "no-store"
