"""Others' judges of our releases, in an environment of their own; run as a program, it sets them up.

They need older packages than the product has, so they are asked in a process of theirs: the scripts in `judged/`, JSON in, JSON out.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pytest

from proto.instrument import Instrument
from services.export.dataset.variables import MISSING, SKIPPED, variables
from tests import debian

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-judges"
LOCK = ROOT / "requirements-judges.lock"
STAMP = HOME / ".made-of"
NEWEST = (3, 12)
"""The newest Python that their packages are built for."""
WITHOUT = "The judges of releases are not set up (`make test` does, with Python 3.11 or 3.12)"
WITHOUT_R = "R and its package haven are not installed (Debian: `apt install r-cran-haven`)"


def ask(judge: str, **question: Any) -> Any:
    """What the script `judged/<judge>.py` answers. Skips the test where the judges are missing, and fails it in CI."""
    if not fresh():
        missing(WITHOUT)
    line = [HOME / "bin" / "python", Path(__file__).parent / "judged" / f"{judge}.py"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    asked = subprocess.run(line, input=json.dumps(question), capture_output=True, text=True, env=alone, check=False)
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout.splitlines()[-1])


def judged(folder: Path, instrument: Instrument, given: pd.DataFrame | None = None) -> dict[str, Any]:
    """What pycanon finds in the release in this folder: it must be the k, l and t that the manifest tells. Returns its manifest's policy.

    It counts every code as a value, as we do, but for three things. To have left out an answer, or an option, is no secret here: classes in
    which nobody did more are left out of l. Everybody, from whom t is measured, are all who answered here, but the released rows there:
    so that the two may differ by the share of the rows left out. And l and t are those of the answers as given, where some are withheld or
    merged: `given` has them, row by row; without it only variables that are told in full are judged, and must keep what was asked for.
    """
    manifest = json.loads((folder / "manifest.json").read_bytes())
    policy, columns = manifest["policy"], variables(instrument)
    table = pd.read_csv(folder / "data.csv", dtype=str, keep_default_na=False)
    harmless = {
        column.name: [MISSING, SKIPPED, *(["0"] if column.otherwise == "0" else [])] for column in columns if column.role == "sensitive"
    }
    if given is not None:
        table = table.assign(**{name: given[name].to_numpy() for name in harmless})
    sensitive = {name: codes for name, codes in harmless.items() if not table[name].str.contains(r"[*|]").any()}
    identifiers = [column.name for column in columns if column.role == "quasi_identifier"]
    with tempfile.TemporaryDirectory() as place:
        table.to_csv(Path(place) / "data.csv", index=False)
        (found,) = ask("anonymity", tables=[{"csv": str(Path(place) / "data.csv"), "identifiers": identifiers, "sensitive": sensitive}])
    assert found["k"] == policy["smallest_group"] >= policy["k"]
    if sensitive:
        variety, distance = min(filter(None, found["l"].values()), default=0), max(found["t"].values())
        apart = manifest["suppressed"] / manifest["responses"] + 0.01  # t is told in hundredths, rounded up
        assert variety == 0 or variety >= policy["l"]
        assert distance <= policy["t"] + apart
        if len(sensitive) == len(harmless):
            assert variety == policy["smallest_l"]
            assert distance == pytest.approx(policy["largest_t"], abs=apart)
    return policy


def haven(script: str, folder: Path) -> list[str]:
    """The lines that R prints, with haven loaded, in this folder. Skips or fails like `ask`."""
    if not has_haven():
        missing(WITHOUT_R)
    line = ["Rscript", "-e", f"library(haven); {script}"]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()


@functools.cache
def has_haven() -> bool:
    return shutil.which("Rscript") is not None and subprocess.run(["Rscript", "-e", "library(haven)"], capture_output=True).returncode == 0


def missing(sentence: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{sentence}; in CI they must judge.", pytrace=False)
    pytest.skip(sentence)


def made_of() -> str:
    """What the environment is made from: the pins and the Python."""
    return hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()


def fresh() -> bool:
    return STAMP.exists() and STAMP.read_text() == made_of()


def prepare() -> bool:
    """Whether they could be set up."""
    if sys.version_info[:2] > NEWEST:
        return False
    print(f"Setting up others' judges of releases in {HOME.name} (once) …", file=sys.stderr, flush=True)
    venv.create(HOME, clear=True, symlinks=True)
    packages = ("--require-hashes", "--only-binary", ":all:", "-r", LOCK)
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--system-certs", "--python", HOME, *packages]
    pip = [sys.executable, "-m", "pip", "--python", HOME / "bin" / "python", "install", "--quiet", "--no-compile", *packages]
    # Like the product's own packages: where only pip knows the way to them, with pip.
    if not any(subprocess.run(line, capture_output=True, check=False).returncode == 0 for line in (uv, pip)):
        return False
    STAMP.write_text(made_of())
    return True


def main() -> None:
    with (ROOT / ".venv.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)  # of two runs in one folder the second waits, then finds the work done
        lacking = [] if fresh() or prepare() else [WITHOUT]
    if not has_haven():
        debian.install("R for the tests that read releases with it", ("r-base-core", "r-cran-haven"))
        has_haven.cache_clear()
        lacking += [] if has_haven() else [WITHOUT_R]
    if lacking and os.environ.get("CI"):
        sys.exit("\n".join(f"{sentence}; in CI they must judge." for sentence in lacking))
    for sentence in lacking:
        print(f"{sentence}: the tests that ask them are skipped.", file=sys.stderr)


if __name__ == "__main__":
    main()
