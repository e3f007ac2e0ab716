"""How much of the questionnaires in a folder comes over: `python -m tests.exchange.corpus FOLDER`, one folder in it for each format.

Counted are questions that ask something that is asked here: not places, pictures, files, times of day, nor what stands in a repeat.
A question comes over if it is asked without any edit, with its rule.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections import Counter
from pathlib import Path

import msgspec

from deploy.cli.exchange.importing import imported
from deploy.cli.exchange.report import UnreadableForm

FORMATS = ("xlsform", "surveyjs", "limesurvey", "redcap", "qualtrics")


class Measured(msgspec.Struct):
    files: int = 0
    unreadable: int = 0
    broken: int = 0
    asked: int = 0
    askable: int = 0
    enabled: int = 0
    whole: int = 0
    rules: int = 0
    rules_kept: int = 0
    keys: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def share(self) -> float:
        return self.enabled / self.askable if self.askable else 1.0


def measure(folder: Path, verbose: bool = False) -> Measured:
    """What comes over of all files of one format."""
    total = Measured()
    for file in sorted(folder.iterdir()):
        total.files += 1
        before = time.monotonic()
        try:
            done = imported(file.read_bytes(), file.name)
        except UnreadableForm as unreadable:
            total.unreadable += 1
            if verbose:
                print(f"  {file.name}: not read: {unreadable.reason}")
            continue
        except Exception:
            total.broken += 1
            print(f"  {file.name}: broken")
            traceback.print_exc()
            continue
        if done.instrument is None:
            total.broken += 1
            print(f"  {file.name}: not sound: {'; '.join(done.faults[:4])}")
        outcome = done.report.outcome
        total.asked += outcome.asked
        total.askable += outcome.askable
        total.enabled += outcome.enabled
        total.whole += outcome.whole
        total.rules += outcome.rules
        total.rules_kept += outcome.rules_kept
        total.keys.update(finding.key for finding in done.report.findings if finding.level == "refused")
        if verbose:
            print(f"  {file.name}: {done.report.last_line()} {time.monotonic() - before:.2f} s")
    return total


def main(root: Path, verbose: bool) -> None:
    for format in FORMATS:
        if not (root / format).is_dir():
            continue
        found = measure(root / format, verbose)
        print(
            f"{format}: {found.files} files ({found.unreadable} unreadable, {found.broken} broken); {found.enabled} of {found.askable}"
            f" questions that can be asked come over ({found.share:.1%}), {found.asked} in all; {found.rules_kept} of {found.rules} rules"
        )
        print(f"  refused: {', '.join(f'{key} {count}' for key, count in found.keys.most_common())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "-v" in sys.argv)
