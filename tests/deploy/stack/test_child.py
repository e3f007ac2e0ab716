"""A child is noticed when it ends, started again ever more slowly, and stopped for certain."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import psutil
import pytest

from deploy.refusal import Refusal
from deploy.stack import child as children
from deploy.stack.bounded_log import BoundedLog
from deploy.stack.child import Child
from deploy.stack.program import Program


async def _ready() -> bool:
    return True


def _script(text: str, **more: object) -> Program:
    return Program("worker", ["/bin/sh", "-c", text], _ready, **more)  # pyright: ignore[reportArgumentType]


async def test_a_crash_is_told_at_once_and_pauses_double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "FIRST_PAUSE", 0.05)
    said: list[tuple[float, str]] = []
    child = Child(lambda: _script("exit 3"), tmp_path)
    await child.start(20)
    keeping = asyncio.create_task(child.keep(lambda line: said.append((time.monotonic(), line))))
    async with asyncio.timeout(30):
        while len(said) < 4:
            await asyncio.sleep(0.01)
    keeping.cancel()
    await child.stop()
    assert said[0][1] == f"worker ended unexpectedly (exit status 3); starting it again. Its log is {tmp_path / 'worker.log'}."
    gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(said)]
    assert all(gap >= 0.05 * 2**turn for turn, gap in enumerate(gaps))


BEATING = "import asyncio; from services.runtime.watchdog import beat; asyncio.run(beat())"


@contextlib.asynccontextmanager
async def _watched(child: Child) -> AsyncGenerator[list[str]]:
    said: list[str] = []
    await child.start(20)
    tasks = [asyncio.create_task(each) for each in (child.keep(said.append), child.watch(said.append))]
    yield said
    for task in tasks:
        task.cancel()
    await child.stop()


def _process(child: Child) -> psutil.Process:
    assert child._process is not None
    return psutil.Process(child._process.pid)


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_child_that_hangs_is_told_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "HUNG", 2.0)
    monkeypatch.setattr(children, "FIRST_PAUSE", 0.05)
    child = Child(lambda: Program("worker", [sys.executable, "-c", BEATING], _ready, beats=True, patience=0.3), tmp_path)
    async with _watched(child) as said:
        await _until(lambda: child._pulse and child._pulse.heard)
        hung = _process(child)
        hung.suspend()
        await _until(lambda: said)
        assert said == [f"worker is there and has not answered for 2 seconds; starting it again. Its log is {tmp_path / 'worker.log'}."]
        await _until(lambda: child._process and child._process.pid != hung.pid and child._pulse and child._pulse.heard)
        assert not hung.is_running()
        assert len(said) == 1


async def test_a_child_that_has_not_begun_to_serve_is_left_alone_and_a_server_that_hangs_is_only_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "HUNG", 0.3)
    silent = False

    async def answers() -> bool:
        return not silent

    waiting = Child(lambda: _script("exec sleep 60", beats=True, patience=0.3), tmp_path / "waiting")
    server = Child(lambda: _script("exec sleep 61", answers=answers, hung="Nothing is lost.", patience=0.3), tmp_path / "server")
    async with _watched(waiting) as nothing, _watched(server) as said:
        before = _process(server).pid
        await asyncio.sleep(1)
        silent = True
        await _until(lambda: said)
        silent = False
        await _until(lambda: len(said) == 2)
        assert said[0].startswith("worker is there and has not answered for 0 seconds. Nothing is lost. Its log is")
        assert said[1] == "worker answers again."
        assert _process(server).pid == before
        assert not nothing


async def test_a_child_that_does_not_start_is_refused_with_its_own_words(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    child = Child(lambda: Program("worker", ["/bin/sh", "-c", "echo no room left; exit 1"], never), tmp_path)
    with pytest.raises(Refusal, match="no room left"):
        await child.start(5)


async def test_a_child_that_ignores_the_signal_is_ended(tmp_path: Path) -> None:
    child = Child(lambda: _script("trap '' TERM; while :; do sleep 0.05; done", patience=0.3), tmp_path)
    await child.start(5)
    await asyncio.sleep(0.2)
    [process] = [each for each in psutil.Process().children() if "trap" in " ".join(each.cmdline())]
    await child.stop()
    assert not process.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    text = (
        "import asyncio, pathlib, sys; from deploy.stack.child import Child; from tests.deploy.stack.test_child import _script\n"
        "async def main():\n"
        f"    await Child(lambda: _script('echo $$ > {tmp_path}/pid; exec sleep 60'), pathlib.Path({str(tmp_path)!r})).start(5)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    parent = subprocess.Popen([sys.executable, "-c", text], cwd=Path(__file__).parents[3])
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pid = int((tmp_path / "pid").read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_gets_its_own_settings_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATEA_DATABASE_URL", "postgresql://somebody-else")
    told = Program("worker", ["/bin/true"], _ready, {"PLATEA_PORT": "1"}).environment()
    assert {name for name in told if name.startswith("PLATEA_")} == {"PLATEA_PORT"}


def test_a_log_stays_within_its_bound_and_keeps_the_end(tmp_path: Path) -> None:
    log = BoundedLog(tmp_path / "x.log", size=1000)
    for number in range(1000):
        log.write(f"line {number}\n".encode())
    kept = [path.stat().st_size for path in tmp_path.iterdir()]
    assert sum(kept) <= 2100
    assert log.last() == "line 999"
    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600


def test_no_address_of_another_machine_gets_into_a_log_however_it_is_cut(tmp_path: Path) -> None:
    said = (
        b"12:34:56 [ERR] 203.0.113.9/127.0.0.1:47662 - wid:49 - violation\n[ERR] [2001:db8::1]/[::1]:5 from ::ffff:203.0.113.9.\n"
        b"Listening on 0.0.0.0:4222, [::]:80; nats-server 2.15.1, at 2026-11-30T01:02:03\n"
        b"2001:db8:0:0:1:0:0:1: gone, foo::bar, last 198.51.100.7"
    )
    wanted = [
        "12:34:56 [ERR] [address]/127.0.0.1:47662 - wid:49 - violation",
        "[ERR] [[address]]/[::1]:5 from [address].",
        "Listening on 0.0.0.0:4222, [::]:80; nats-server 2.15.1, at 2026-11-30T01:02:03",
        "[address]: gone, foo::bar, last [address]",
    ]
    for size in (1, 7, 64, 65536):
        log = BoundedLog(tmp_path / f"{size}.log")
        for start in range(0, len(said), size):
            log.write(said[start : start + size])
        log.end()
        assert (tmp_path / f"{size}.log").read_text().splitlines() == wanted
        assert log.last() == wanted[-1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_unprivileged_child_reaches_what_lies_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "file").write_text("reached")
    program = Program(
        "worker",
        ["/bin/sh", "-c", f"id -u; cat {closed}/file; grep CapEff /proc/self/status; echo x > {closed}/written"],
        _ready,
        uid=60800,
    )
    done = subprocess.run(program.line(), env=program.environment(), capture_output=True, text=True, check=False)
    # CAP_DAC_READ_SEARCH, and no other power is left.
    assert done.stdout.split() == ["60800", "reachedCapEff:", f"{1 << 2:016x}"]
    assert not (closed / "written").exists()
    assert closed.stat().st_mode & 0o777 == 0o700
