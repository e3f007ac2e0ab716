"""Another tool's attacks on a release: singling out, linkability and inference, which the Article 29 Working Party asks about (WP 216).

`python -m tests.export.wp29` writes what they reach into the documentation, beside what the release's own report says.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from services.export.report.compared import ComparedVariable, compare
from services.export.report.report import ReleaseReport
from tests.export.attacks import PAGE
from tests.export.judges import ask
from tests.export.tables import Made, encoded, made

SURVEY, PEOPLE, SEED, ATTACKS = "social-cohesion", 400, 1, 400
SECRET = "spending_share"
FURTHER = 20
"""How many other answers stand in the second of two files that are to be linked through the release."""
HEAD = "| anonymeter's attack |"


@dataclass(frozen=True)
class Attacked:
    """What one attack reached, and what the same attack reached against people who are not in the release."""

    attacks: int
    success: float
    control: float
    risk: float
    interval: tuple[float, float]


def play(attacks: int = ATTACKS) -> tuple[Made, dict[str, dict[str, Attacked]]]:
    """The release that was attacked, and for the `naive` build and for `ours` what each attack reached."""
    release = made(SURVEY, "public", PEOPLE)
    fields = compare(release.original, release.table, release.columns)
    others = [field.name for field in fields if not field.identifies]
    with tempfile.TemporaryDirectory() as place:
        shown = {"original": release.original, "control": encoded(release.instrument, PEOPLE, PEOPLE), "ours": guessed(fields)}
        path = {name: str(Path(place) / f"{name}.csv") for name in shown}
        for name, frame in shown.items():
            frame.to_csv(path[name], index=False)
        found = ask(
            "attacks",
            original=path["original"],
            control=path["control"],
            released={"naive": path["original"], "ours": path["ours"]},
            identifiers=[field.name for field in fields if field.identifies],
            further=others[:FURTHER],
            secrets=[SECRET],
            seed=SEED,
            attacks=attacks,
        )
    return release, {name: {attack: Attacked(**each) for attack, each in reached.items()} for name, reached in found.items()}


def guessed(fields: list[ComparedVariable]) -> pd.DataFrame:
    """The release in the codes of the answers, as the tool needs it: for each coarser value one of the answers it stands for, by chance."""
    rng = np.random.default_rng(SEED)
    columns: dict[str, np.ndarray] = {}
    for field in fields:
        column = np.empty(len(field.after), dtype=object)
        for place, value in enumerate(field.released):
            rows = np.flatnonzero(field.after == place)
            column[rows] = rng.choice([field.answers[member] for member in value.members], len(rows))
        columns[field.name] = column
    return pd.DataFrame(columns)


def ours_say(report: ReleaseReport) -> dict[str, tuple[str, float, float]]:
    """For each of its attacks the nearest figure of our report: what it is, before, after."""
    _, more = report.linkage
    guess = next(each for each in report.inference if each.name == SECRET)
    rare = report.rare
    assert rare is not None
    return {
        "singling out, univariate": ("alone in the quasi-identifiers", report.prosecutor.before.alone, report.prosecutor.after.alone),
        "singling out, multivariate": ("alone by up to three rare answers", rare.rows_before, rare.rows),
        "linkability": (f"right links by {len(more.knows)} answers", more.right_before, more.right),
        f"inference, {SECRET}": (f"right guesses (control {_percent(guess.control)})", guess.before, guess.reached),
    }


def table(report: ReleaseReport, found: dict[str, dict[str, Attacked]]) -> str:
    lines = [
        f"{HEAD} naive build | control | ours | control | gained on ours, 95 % interval | our report says | before | release |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    said = ours_say(report)
    for attack, ours in found["ours"].items():
        naive, (what, before, after) = found["naive"][attack], said[attack]
        gained = f"{_percent(ours.risk)} ({_percent(ours.interval[0])} to {_percent(ours.interval[1])})"
        both = f"{_percent(naive.success)} | {_percent(naive.control)} | {_percent(ours.success)} | {_percent(ours.control)}"
        lines.append(f"| {attack} | {both} | {gained} | {what} | {_percent(before)} | {_percent(after)} |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def main() -> None:
    """Writes the table in place of the one that is there."""
    release, found = play()
    before, _, rest = PAGE.read_text("utf-8").partition(HEAD)
    PAGE.write_text(f"{before}{table(release.report(), found)}\n\n{rest.partition(chr(10) * 2)[2]}", "utf-8")


if __name__ == "__main__":
    main()
