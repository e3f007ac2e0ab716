"""Makes the project's own Python environment from the pinned packages; `make` runs it with nothing but the standard library."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
SETUP = "requirements-setup.lock"
LOCKS = {"runtime": "requirements.lock", "docs": "requirements-docs.lock", "dev": "requirements-dev.lock"}
PINNED = ("--require-hashes", "--only-binary", ":all:", "-r")


def main() -> None:
    kind = sys.argv[1]
    with (ROOT / ".venv.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)  # two makes in one folder: the second waits, then finds the work done
        if not fresh(kind):
            prepare(kind)


def fresh(kind: str) -> bool:
    """Whether the environment is newer than everything it was made from."""
    stamp = HOME / f".{kind}"
    sources = (ROOT / LOCKS[kind], ROOT / SETUP, ROOT / "pyproject.toml", Path(__file__))
    return stamp.exists() and stamp.stat().st_mtime >= max(source.stat().st_mtime for source in sources)


def prepare(kind: str) -> None:
    print(f"Setting up Python packages in {HOME.name} (once) …", file=sys.stderr, flush=True)
    if kind == "docs":  # beside what is there: the platform may be running from it
        install(*PINNED, LOCKS[kind])
        (HOME / f".{kind}").touch()
        return
    if not suits():
        create()
    pip(*PINNED, SETUP)
    install(*PINNED, LOCKS[kind])
    install("--no-deps", "--no-build-isolation", "--editable", ".")
    # The development pins hold all others, so whoever has them may start as well.
    for done in LOCKS if kind == "dev" else ("runtime",):
        (HOME / f".{done}").touch()


def suits() -> bool:
    """Whether an environment is there, still runs, and is of the Python that was asked for."""
    ask = [HOME / "bin" / "python", "-c", "import pip, sys; print(*sys.version_info[:2])"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.split() == [str(part) for part in sys.version_info[:2]]


def create() -> None:
    try:
        venv.create(HOME, clear=True, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:  # Debian keeps the bundled pip in a package of its own
        sys.exit(f"This Python ({sys.executable}) cannot make environments; on Debian and Ubuntu, `apt install python3-venv` helps.")


def install(*arguments: str) -> None:
    """Install with uv, which needs a second where pip needs half a minute; where only pip knows the way to the packages, with pip."""
    uv = [HOME / "bin" / "uv", "pip", "install", "--quiet", "--system-certs", "--python", HOME, *arguments]
    if subprocess.run(uv, cwd=ROOT, stderr=subprocess.DEVNULL, check=False).returncode:
        pip(*arguments)


def pip(*arguments: str) -> None:
    """Run pip without a word; where it fails, with all that it said."""
    env = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_NO_INPUT": "1"}
    command = [HOME / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-compile", *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=env, check=False, stderr=subprocess.PIPE, text=True)
    if ran.returncode:
        sys.exit(f"{ran.stderr}The Python packages could not be installed; the messages above say why.")


if __name__ == "__main__":
    main()
