"""A whole stack as an operator runs it: `platea up` in a process of its own, and its children to hurt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from deploy.stack import ports
from deploy.stack.program import launched

MARKS = {
    "nats": "nats-server",
    "postgres": "postgres",
    "intake": "deploy.front",
    "analysis": "services.analysis",
    "export": "services.export",
}
"""The program or the module that each child runs."""


class Operated:
    """`platea up` on a free port with its data in `folder`; `with` it. `settings` are its environment's, `uid` whom it runs as."""

    def __init__(self, folder: Path, uid: int = -1, **settings: str) -> None:
        self.data = folder / "data"
        self.log = folder / "up.log"
        self.port = ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        self._uid, self._settings = uid, settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Operated:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self, seconds: float = 60.0) -> float:
        """Returns the seconds until it said that it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PLATEA_")}
        environment |= {"PLATEA_LEAST_SECONDS": "0"} | self._settings  # tests are faster than people
        before = self.log.stat().st_size if self.log.exists() else 0
        begun = time.monotonic()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(self._line(), env=environment, stdout=output, stderr=output, start_new_session=True)
        while "is ready" not in self.log.read_text()[before:]:
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() - begun < seconds, self.log.read_text()
            time.sleep(0.05)
        return time.monotonic() - begun

    def _line(self) -> list[str]:
        command = [sys.executable, "-m", "deploy.cli", "up", "--port", str(self.port), "--data", str(self.data)]
        return command if self._uid < 0 else [*launched(signal.SIGKILL, self._uid), *command]

    @property
    def supervisor(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def stop(self) -> float:
        """Ends it as a service manager would and returns the seconds that took."""
        if self._process is None:
            return 0.0
        begun = time.monotonic()
        self._process.terminate()
        try:
            self._process.wait(30)
        finally:
            for process in self.family():
                process.kill()
        self._process = None
        return time.monotonic() - begun

    @property
    def token(self) -> str:
        return (self.data / "organiser.token").read_text().strip()

    def exact(self, survey: str = "ai-security") -> dict[str, Any]:
        """The organiser's exact view, as it is now."""
        asked = urllib.request.Request(f"{self.url}/api/v1/surveys/{survey}/aggregates?view=exact")
        asked.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    def family(self) -> list[psutil.Process]:
        """All processes below `platea up`."""
        if self._process is None or not psutil.pid_exists(self._process.pid):
            return []
        return psutil.Process(self._process.pid).children(recursive=True)

    def child(self, name: str, seconds: float = 60.0) -> psutil.Process:
        """The child with this name, waiting for it to be there again after a fall."""
        assert self._process is not None
        deadline = time.monotonic() + seconds
        while True:
            for process in psutil.Process(self._process.pid).children():
                try:
                    if MARKS[name] in [Path(part).name for part in process.cmdline()[:3]] and process.status() != psutil.STATUS_ZOMBIE:
                        return process
                except psutil.NoSuchProcess:
                    continue
            assert time.monotonic() < deadline, f"{name} did not come back:\n{self.log.read_text()}"
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """kill -9, and nobody is told."""
        self.child(name).send_signal(signal.SIGKILL)

    def platea(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs the command line tool against this stack."""
        line = [sys.executable, "-m", "deploy.cli", *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PLATEA_")}
        environment |= {"PLATEA_URL": self.url, "PLATEA_TOKEN": self.token, "PLATEA_DATA": str(self.data), "NO_COLOR": "1"}
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=600)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done
