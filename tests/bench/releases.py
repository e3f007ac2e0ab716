"""A whole release, from the store to the published folder and archive: how long, and the most memory of the service.

200,000 responses unless PLATEA_BENCH_RESPONSES says otherwise; the targets are those of a million, in proportion.
"""

from __future__ import annotations

import json
import os
import random
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import psutil

from tests.bench import journalling
from tests.bench.recording import most_memory
from tests.bench.report import Figure
from tests.bench.servers import SURVEY, Servers, processor_time, servers
from tests.builders.bundled import questionnaire

MILLION = 1_000_000
MIXED = 200_000
"""Different responses at most; more are repetitions."""
TARGET, MEMORY = 180.0, 2000.0
"""Seconds for a million responses, and MB however many there are."""


@dataclass
class Built:
    seconds: float
    processor: float
    """Seconds of processor time of the service and of PostgreSQL."""
    steps: dict[str, float]
    """Seconds by what the job did."""
    memory: float
    size: float
    """MB of the files, the archive left out."""
    copied: float
    """Seconds that PostgreSQL took to take the responses in, in one COPY."""


def measure(folder: Path, quick: bool) -> list[Figure]:
    count = int(os.environ.get("PLATEA_BENCH_RESPONSES", "5000" if quick else "200000"))
    few = max(count // 20, 500)
    given = _mixed(journalling.answers(folder), min(count, MIXED))
    small, large = (_built(folder / str(size), size, given) for size in (few, count))
    each = 1e6 * (large.seconds - small.seconds) / (count - few)
    steps = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in large.steps.items() if seconds > 0)
    return [
        Figure(
            "Releasing",
            f"a release of {count:,}",
            large.seconds,
            "s",
            TARGET * count / MILLION if count >= MILLION else None,
            "less",
            steps,
        ),
        Figure(
            "Releasing",
            "processor time of that",
            large.processor,
            "s",
            measured="the service and PostgreSQL",
            calibration=f"PostgreSQL took the responses in, in one COPY, in {large.copied:.1f} s",
        ),
        Figure("Releasing", "each further response", each, "µs", 1e6 * TARGET / MILLION, "less", f"{few:,} take {small.seconds:.1f} s"),
        Figure(
            "Releasing",
            "most memory of the service",
            large.memory,
            "MB",
            MEMORY,
            "less",
            f"{large.size:,.0f} MB of files",
            f"{few:,}: {small.memory:,.0f} MB",
        ),
    ]


def _built(folder: Path, count: int, given: list[bytes]) -> Built:
    copied = 0.0

    async def fill(url: str, partitions: int) -> None:
        nonlocal copied
        copied = count / await journalling.store(url, count, partitions, given)

    with servers(folder, fill) as running, running.running(running.stack.export()) as export:
        used, begun = processor_time(export, running.postgres), time.perf_counter()
        seen = list(_followed(running, _ask(running, "", b"{}")))
        seconds, used = time.perf_counter() - begun, processor_time(export, running.postgres) - used
        assert seen[-1][1]["status"] == "done", seen[-1][1]
        assert seen[-1][1]["responses"] == count
        steps = dict.fromkeys((job["status"] for _, job in seen[:-1]), 0.0)
        for (at, job), (after, _) in pairwise(seen):
            steps[job["status"]] += after - at
        manifest = _ask(running, f"/{seen[-1][1]['number']}")
        return Built(seconds, used, steps, _memory(export), sum(file["bytes"] for file in manifest["files"]) / 1e6, copied)


def _mixed(given: list[bytes], many: int) -> list[bytes]:
    """So many different responses: the quasi-identifiers of one respondent with the other answers of another."""
    telling = {question.id for question in questionnaire().questions if question.privacy.role == "quasi_identifier"}
    bodies: list[dict[str, Any]] = [json.loads(body) for body in given]
    first = [{id: answer for id, answer in body.items() if id in telling} for body in bodies]
    dice = random.Random(20261122)
    return [msgspec.json.encode(dice.choice(bodies) | _pieces(first, dice)) for _ in range(many)]


def _pieces(first: list[dict[str, Any]], dice: random.Random) -> dict[str, Any]:
    """Half of the quasi-identifiers of each of two respondents, so that many combinations occur."""
    one, other = dice.choice(first), dice.choice(first)
    return one | {id: answer for place, (id, answer) in enumerate(other.items()) if place % 2}


def _memory(export: psutil.Process) -> float:
    return max(most_memory(each) for each in (export, *export.children(recursive=True)))


def _followed(running: Servers, job: dict[str, Any]) -> Iterator[tuple[float, dict[str, Any]]]:
    """The job each time it has got further, with the time."""
    with urllib.request.urlopen(_request(running, f"/jobs/{job['id']}/events"), timeout=600) as answer:
        for line in answer:
            if line.startswith(b"data: "):
                yield time.perf_counter(), json.loads(line.removeprefix(b"data: "))


def _ask(running: Servers, path: str, body: bytes | None = None) -> dict[str, Any]:
    with urllib.request.urlopen(_request(running, path, body), timeout=60) as answer:
        return json.load(answer)


def _request(running: Servers, path: str, body: bytes | None = None) -> urllib.request.Request:
    url = f"http://127.0.0.1:{running.stack.export_port}/api/v1/surveys/{SURVEY}/releases{path}"
    headers = {"Authorization": f"Bearer {running.stack.data.token.read_text().strip()}", "Content-Type": "application/json"}
    return urllib.request.Request(url, data=body, headers=headers)
