"""`make bench`: the benchmark report. `--quick` is a rehearsal, `--only NAME` runs a part, `--out DIR` says where the JSON goes."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import tempfile
from pathlib import Path

# It says how many threads numpy takes, so it comes before numpy.
import services.analysis  # noqa: F401  # pyright: ignore[reportUnusedImport]
from tests.bench import report
from tests.bench.report import Report

log = logging.getLogger(__name__)

PARTS = ("intake", "form", "fold", "releasing", "recording", "freshness", "delivery", "starting", "protecting", "releases")
"""Modules of this folder; each has `measure(folder, quick) -> list[Figure]`."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description="The benchmark report, as a table and as JSON.")
    parser.add_argument("--quick", action="store_true", help="shorter and smaller: a rehearsal, not a measurement")
    parser.add_argument("--only", choices=PARTS, action="append", help="run this part alone (may be given several times)")
    parser.add_argument("--out", type=Path, default=Path(".bench"), help="folder for bench-report.json")
    given = parser.parse_args()
    found = Report(report.machine(), os.cpu_count() or 1, given.quick, [])
    for part in given.only or PARTS:
        print(f"Measuring: {part} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="platea-bench-") as folder:
            Path(folder).chmod(0o755)
            try:
                found.figures += importlib.import_module(f"tests.bench.{part}").measure(Path(folder), given.quick)
            except Exception as error:  # the other parts are still worth measuring
                log.exception("%s could not be measured", part)
                found.skipped[part] = f"{type(error).__name__}: {str(error)[:300]}"
    groups = list(dict.fromkeys(figure.group for figure in found.figures))
    found.figures.sort(key=lambda figure: groups.index(figure.group))
    report.show(found)
    print(f"Also as JSON: {report.save(found, given.out)}")
    sys.exit(1 if found.skipped else 0)


if __name__ == "__main__":
    main()
