"""The browser for the tests that look at pages; run as a program, it installs Debian's where it may."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])


def find() -> str | None:
    """The browser named by CHROMIUM, or the first one on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """Skips the test where there is none."""
    program = find()
    if program is None:
        pytest.skip("no Chromium on this machine")
    found = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
    yield found
    found.close()


def install() -> bool:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    with (Path(__file__).resolve().parents[1] / ".venv.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)  # of two runs in one folder the second waits, then finds it installed
        return find() is not None or _install()


def _install() -> bool:
    print("Installing a browser for the tests that look at pages (once) …", file=sys.stderr, flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return all(subprocess.run(step, env=quiet, stdout=subprocess.DEVNULL, check=False).returncode == 0 for step in INSTALL)


def main() -> None:
    if find() or (install() and find()):
        return
    sentence = "No Chromium here (Debian: `apt install chromium`, elsewhere: CHROMIUM=/path/to/it)"
    if os.environ.get("CI"):
        sys.exit(f"{sentence}; in CI the tests that look at pages must run.")
    print(f"{sentence}: the tests that look at pages are skipped.", file=sys.stderr)


if __name__ == "__main__":
    main()
