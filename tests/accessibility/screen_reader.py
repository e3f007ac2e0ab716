"""Orca, the screen reader of Linux desktops, beside a Chromium with a screen and a keyboard of its own: what it says is kept as text."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Page, Playwright

from tests import browser

NEEDED = {"orca": "orca", "Xvfb": "xvfb", "dbus-daemon": "dbus-daemon", "xdotool": "xdotool"}
"""Programs, and the packages of Debian that bring them."""
LAUNCHER = ("/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher")
SETTINGS = """\
import orca.settings
import orca.speech

orca.settings.enableKeyEcho = False
orca.settings.sayAllOnLoad = False
spoken = open({file!r}, "a", buffering=1)


def write(text, acss=None, interrupt=True):
    spoken.write(" ".join(text.split()) + "\\n")


def write_all(parts, progress):
    for part, voice in parts:
        write(part.utterance)


orca.speech.init = lambda: None
orca.speech._speak = write
orca.speech.sayAll = write_all
"""
"""Orca runs this when it starts. It keeps each sentence on its way to the voice: a voice would break off where the next key is pressed."""
ALONE = "#!/bin/sh\nexit 1\n"
"""Instead of pgrep, by which Orca looks for others of its kind that the same person runs: somebody's own screen reader, or another test's.
It would end itself, or these; here each has a screen of its own."""
PATIENCE = 60.0
SILENCE = 0.3
"""Seconds without a word after which Orca has said all."""


def missing() -> str:
    """The packages of Debian that are not here; "" where Orca can run."""
    there = [package for program, package in NEEDED.items() if not shutil.which(program)]
    return " ".join([*there, *([] if _launcher() else ["at-spi2-core"]), *([] if browser.find(window=True) else ["chromium"])])


def _launcher() -> str | None:
    return next((path for path in LAUNCHER if Path(path).exists()), None)


class ScreenReader:
    """Who hears a page and has a keyboard. `heard`: by key, all that was said after it."""

    def __init__(self, page: Page, spoken: Path, environment: dict[str, str]) -> None:
        self.page = page
        self.heard: list[tuple[str, list[str]]] = []
        self._spoken, self._environment, self._read = spoken, environment, 0

    def press(self, key: str, awaited: Sequence[str] = ()) -> None:
        """Presses a key, of xdotool's names, and listens until these pieces were said."""
        self._do("key", key)
        self.listen(key, awaited)

    def type(self, text: str, awaited: Sequence[str] = ()) -> None:
        self._do("type", "--delay", "30", text)
        self.listen(f"“{text}”", awaited)

    def narrow(self, width: int) -> None:
        """The window changes its width, in pixels."""
        self._do("search", "--onlyvisible", "--class", "chromium", "windowsize", str(width), "800")
        self.listen(f"({width} pixels wide)")

    def _do(self, *line: str) -> None:
        subprocess.run(["xdotool", *line], env=self._environment, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)

    def listen(self, cause: str, awaited: Sequence[str] = ()) -> None:
        """Keeps what is said until all of these pieces were heard, in this order, and then nothing for a moment."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            said, end = self._since()
            if missed(said, awaited) is None:
                time.sleep(SILENCE)
                if self._since()[1] == end:
                    break
            else:
                time.sleep(0.05)
        said, self._read = self._since()
        self.heard.append((cause, said.splitlines()))
        assert missed(said, awaited) is None, f"after {cause}: “{missed(said, awaited)}” is not heard in: {said}"

    def _since(self) -> tuple[str, int]:
        """What was said since the last key, and where it ends."""
        with self._spoken.open("rb") as file:
            file.seek(self._read)
            said = file.read()
        return said.decode(errors="replace"), self._read + len(said)


def missed(said: str, awaited: Sequence[str]) -> str | None:
    """The first piece that does not come after those before it."""
    at = 0
    for piece in awaited:
        if (found := said.find(piece, at)) < 0:
            return piece
        at = found + len(piece)
    return None


@contextmanager
def screen_reader(playwright: Playwright, folder: Path, url: str) -> Generator[ScreenReader]:
    """Opens a page in a window, with Orca beside it. `folder` becomes a home: no settings of anybody's are read or changed."""
    program, launcher = browser.find(window=True), _launcher()
    assert program is not None, "no browser"
    assert launcher is not None, "no at-spi2-core"
    spoken, home, runtime = folder / "spoken.txt", folder / "home", folder / "run"
    settings = home / ".local/share/orca/orca-customizations.py"
    settings.parent.mkdir(parents=True)
    runtime.mkdir(mode=0o700)
    spoken.touch()
    settings.write_text(SETTINGS.format(file=str(spoken)))
    alone = folder / "bin/pgrep"
    alone.parent.mkdir()
    alone.write_text(ALONE)
    alone.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DBUS_", "AT_SPI"))}
    environment = inherited | {
        "HOME": str(home),
        "PATH": f"{alone.parent}:{os.environ['PATH']}",
        "XDG_RUNTIME_DIR": str(runtime),
        "ACCESSIBILITY_ENABLED": "1",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
    with ExitStack() as stack:

        def start(*line: str, told: int | None = None) -> None:
            child = subprocess.Popen(
                line,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(told,) if told else (),
            )
            stack.callback(_end, child)

        def told(*line: str) -> str:
            """The line that a program writes to a descriptor once it is ready."""
            here, there = os.pipe()
            start(*(part.format(there) for part in line), told=there)
            os.close(there)
            with os.fdopen(here) as answer:
                return answer.readline().strip()

        environment["DISPLAY"] = ":" + told("Xvfb", "-displayfd", "{}", "-screen", "0", "1280x900x24", "-nolisten", "tcp")
        environment["DBUS_SESSION_BUS_ADDRESS"] = told("dbus-daemon", "--session", "--nofork", "--print-address={}")
        start(launcher, "--launch-immediately", "--a11y=1", "--screen-reader=1")
        start("orca")
        _wait_for(lambda: "reader on" in spoken.read_text())
        context = stack.enter_context(
            playwright.chromium.launch_persistent_context(
                str(folder / "profile"),
                executable_path=program,
                headless=False,
                no_viewport=True,
                env=dict(environment),
                ignore_default_args=["--enable-automation", "--no-startup-window"],
                args=[
                    *browser.FLAGS,
                    "--force-renderer-accessibility",
                    "--test-type",
                    "--window-position=0,0",
                    "--window-size=1200,860",
                    f"--app={url}",
                ],
            )
        )
        reader = ScreenReader(context.pages[0], spoken, environment)
        reader._do("search", "--sync", "--onlyvisible", "--class", "chromium", "windowfocus")
        yield reader


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "Orca does not start"
        time.sleep(0.1)


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
