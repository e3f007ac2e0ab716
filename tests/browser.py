"""The browser for the tests that look at pages; run as a program, it installs Debian's where it may."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Playwright

from tests import debian

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking")
HEADLESS = "chromium-headless-shell"
"""Chromium without windows and toolbars: a page of its own costs an eighth of the processor's time."""
WITH_WINDOWS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find(*, window: bool = False) -> str | None:
    """The browser named by CHROMIUM, or the first one on the path. `window`: one that can show itself."""
    if not window and (named := os.environ.get("CHROMIUM")):
        return named
    return next(filter(None, map(shutil.which, WITH_WINDOWS if window else (HEADLESS, *WITH_WINDOWS))), None)


@contextmanager
def launched(playwright: Playwright) -> Generator[Browser]:
    """Skips the test where there is none."""
    program = find()
    if program is None:
        pytest.skip("no Chromium on this machine")
    found = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
    yield found
    found.close()


def main() -> None:
    if os.environ.get("CHROMIUM") or shutil.which(HEADLESS):
        return
    if debian.install("a browser for the tests that look at pages", (HEADLESS,)) or find():
        return
    sentence = f"No Chromium here (Debian: `apt install {HEADLESS}`, elsewhere: CHROMIUM=/path/to/it)"
    if os.environ.get("CI"):
        sys.exit(f"{sentence}; in CI the tests that look at pages must run.")
    print(f"{sentence}: the tests that look at pages are skipped.", file=sys.stderr)


if __name__ == "__main__":
    main()
