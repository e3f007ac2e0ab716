"""`make up` in a fresh clone with a warm package cache, and the second start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from deploy.stack import ports
from tests.bench.report import Figure

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = 30.0, 6.0


def measure(folder: Path, quick: bool) -> list[Figure]:
    """Both times until the line that says it is ready. A quick run takes the environment that is there."""
    clone = ROOT if quick else folder / "clone"
    if not quick:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, capture_output=True)
    shutil.rmtree(folder / "data", ignore_errors=True)
    first, second = (_start(clone, folder / "data", folder / f"up-{which}.log") for which in (1, 2))
    what = "packages set up before" if quick else "fresh clone, packages from the cache"
    return [
        Figure("Starting", "make up, first", first, "s", FIRST, "less", what),
        Figure("Starting", "make up, second", second, "s", SECOND, "less", "with the data of the first"),
    ]


def _start(checkout: Path, data: Path, log: Path) -> float:
    command = ["make", "up", f"PORT={ports.free()}", f"DATA={data}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PLATEA_", "MAKE", "MFLAGS"))}
    begun = time.perf_counter()
    with log.open("wb") as output:
        making = subprocess.Popen(command, cwd=checkout, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        while "is ready" not in log.read_text():
            assert making.poll() is None, log.read_text()
            time.sleep(0.02)
        return time.perf_counter() - begun
    finally:
        os.killpg(making.pid, signal.SIGTERM)
        making.wait(30)
