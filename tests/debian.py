"""Debian's packages for tests that need a program of somebody else's, installed where that may be done."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path


def install(why: str, there: tuple[str, ...]) -> bool:
    """Whether these packages could be installed. `why`: said once, before."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    with (Path(__file__).resolve().parents[1] / ".venv.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)  # of two runs in one folder the second waits, then finds nothing left to do
        print(f"Installing {why} (once) …", file=sys.stderr, flush=True)
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        steps = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *there])
        return all(subprocess.run(step, env=quiet, stdout=subprocess.DEVNULL, check=False).returncode == 0 for step in steps)
