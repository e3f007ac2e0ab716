"""How fast durable answers are accepted, beside handlers that validate only, or validate and insert with a commit."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import msgspec
import psutil

from tests.bench.load import Load
from tests.bench.report import Figure
from tests.bench.servers import SURVEY, bodies, calibration, processor_time, servers, settle

TARGETS = {64: {"validate": 0.45, "store": 1.3}, 256: {"validate": 0.55}}
"""Connections, and how many times the calibration's rate is wanted."""
CPU_TARGET = 0.45


@dataclass
class Slices:
    """Runs of one target, alternating with the others so that all meet the same weather."""

    rates: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    p99: list[float] = field(default_factory=list[float])


def measure(folder: Path, quick: bool) -> list[Figure]:
    seconds, rounds = (1.5, 2) if quick else (3.0, 5)
    sent = bodies(2000, folder)
    with servers(folder) as running, calibration(running) as (port, bare), running.running(running.stack.front()) as front:
        places = {
            "validate": (port, "/validate", (bare,)),
            "store": (port, "/store", ()),
            "platea": (running.stack.port, f"/api/v1/surveys/{SURVEY}/responses", (front, running.nats)),
        }
        token = running.stack.data.token  # so many at once would be a flood, and everybody's request is as long
        found = {(name, connections): Slices() for connections in TARGETS for name in places}
        for at, path, watched in places.values():  # warm
            slice_(at, path, sent, 64, 1.0, watched, token=token)
        for connections in TARGETS:
            for _ in range(rounds):
                for name, (at, path, watched) in places.items():
                    if name in ("platea", *TARGETS[connections]):
                        load, cpu = slice_(at, path, sent, connections, seconds, watched, token=token)
                        assert not load.refused, f"{load.refused} answers of {name} were refused"
                        slices = found[name, connections]
                        slices.rates.append(load.rate)
                        slices.cpu.append(1000 * cpu / max(load.accepted, 1))
                        slices.p99.append(load.p99)
    return list(_figures(found))


def _figures(found: dict[tuple[str, int], Slices]) -> list[Figure]:
    figures: list[Figure] = []
    for connections, targets in TARGETS.items():
        ours = found["platea", connections]
        measured = f"{median(ours.rates):,.0f}/s, p99 {median(ours.p99):,.0f} ms"
        for name, target in targets.items():
            theirs = found[name, connections].rates
            ratio = median(a / b for a, b in zip(ours.rates, theirs, strict=True))
            beside = f"{name} {median(theirs):,.0f}/s"
            figures.append(Figure("Accepting", f"at {connections} connections, times {name}", ratio, "", target, "more", measured, beside))
        cpu = median(ours.cpu)
        beside = f"validate {median(found['validate', connections].cpu):.3f} ms"
        what = "intake and NATS together"
        figures.append(Figure("Accepting", f"server CPU each at {connections}", cpu, "ms", CPU_TARGET, "less", what, beside))
    return figures


def slice_(
    port: int,
    path: str,
    sent: Path,
    connections: int,
    seconds: float,
    watched: tuple[psutil.Process, ...],
    kind: str = "application/json",
    token: Path | None = None,
) -> tuple[Load, float]:
    """One run of the load generator, and the processor time that the watched processes took for it."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.load",
        str(port),
        path,
        str(sent),
        "--connections",
        str(connections),
        "--seconds",
        str(seconds),
        "--type",
        kind,
        *(("--token", str(token)) if token else ()),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as generator:
        assert generator.stdout is not None
        assert generator.stdin is not None
        try:
            assert generator.stdout.readline() == "ready\n"
            settle()
            before = processor_time(*watched)
            generator.stdin.write("go\n")
            generator.stdin.flush()
            line = generator.stdout.readline()
            used = processor_time(*watched) - before
        finally:
            with contextlib.suppress(ProcessLookupError):
                generator.terminate()
    return msgspec.json.decode(line, type=Load), used
