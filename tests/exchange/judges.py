"""SurveyJS's own engine, which judges our exports, in a folder of its own; run as a program, it sets it up.

It comes from npm, pinned with hashes in `judged/package-lock.json`, and is asked by scripts in `judged/`, JSON in and out.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import debian
from tests.export.judges import missing

ROOT = Path(__file__).resolve().parents[2]
JUDGED = Path(__file__).parent / "judged"
HOME = ROOT / ".node-judges"
PINS = ("package.json", "package-lock.json")
WITHOUT = "SurveyJS's engine is not set up (`make test` does, with npm; Debian: `apt install npm`)"


def ask(judge: str, **question: Any) -> Any:
    """What the script `judged/<judge>.js` answers. Skips the test where the engine is missing, and fails it in CI."""
    if not fresh():
        missing(WITHOUT)
    line = ["node", JUDGED / f"{judge}.js", HOME / "node_modules"]
    asked = subprocess.run(line, input=json.dumps(question), capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout.splitlines()[-1])


def fresh() -> bool:
    """Whether the folder holds all that is pinned. npm writes its list of what is there at the end."""
    done = (HOME / "node_modules" / ".package-lock.json").exists()
    return done and shutil.which("node") is not None and all((HOME / name).read_bytes() == (JUDGED / name).read_bytes() for name in PINS)


def prepare() -> bool:
    """Whether it could be set up."""
    if not shutil.which("npm"):
        return False
    print(f"Setting up SurveyJS's engine in {HOME.name} (once) …", file=sys.stderr, flush=True)
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    for name in PINS:
        shutil.copy(JUDGED / name, HOME)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    return subprocess.run(install, cwd=HOME, stdout=subprocess.DEVNULL, check=False).returncode == 0


def main() -> None:
    if not shutil.which("npm"):
        debian.install("npm for a judge of exports", ("npm",))
    with (ROOT / ".venv.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)  # of two runs in one folder the second waits, then finds the work done
        if fresh() or prepare():
            return
    if os.environ.get("CI"):
        sys.exit(f"{WITHOUT}; in CI it must judge.")
    print(f"{WITHOUT}: the tests that ask it are skipped.", file=sys.stderr)


if __name__ == "__main__":
    main()
