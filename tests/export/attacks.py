"""Attacks on releases: each is played against a naive build and against ours, on made-up towns.

`python -m tests.export.attacks` writes the table into its page of the documentation.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from deploy.cli.respondents import Population
from proto.answers import Reader, today_of
from proto.codebook import CodeBook
from proto.instrument import NON_SUBSTANTIVE
from proto.intervals import of_share
from services.export import formats
from services.export.dataset.profiles import PROFILES
from services.export.dataset.table import ReleaseInfo, tabulate
from services.export.dataset.variables import MISSING, SKIPPED, Encoder, variables
from services.export.protect.anonymise import Result
from services.export.protect.request import ProtectionRequest
from services.export.report import groups, linkage, risk
from services.export.report.compared import ComparedVariable, compare
from services.export.report.report import Facts, Share, encode, report
from tests.export.attacks_across import both_profiles, deleted_rows, minimality, survivors, two_surveys
from tests.export.tables import Made, every_kind, made, released
from tests.export.towns import OPINIONS, PEOPLE, UNITS, Hits, K, T, Town, fields, ours, town

PAGE = Path(__file__).resolve().parents[2] / "docs" / "attacks-on-releases.md"
PRODUCT, DRAWN = 300, 3
"""Responses to a whole questionnaire, and the seed that `released` draws them with."""
SECRETS = ("Ana Horvat", "ana.horvat@example.org", "+385 91 234 5678", "Trg bana Jelačića 3", "Rückfragen an Jürgen Weiß")
"""What people write into free text, although they are asked not to."""


def singling_out(seed: int) -> tuple[Hits, Hits]:
    found = town(seed)

    def alone(result: Result | None) -> Hits:
        of_row, counts = groups.after(fields(found, result)[:3])
        return float((counts[of_row] == 1).sum()), len(of_row)

    return alone(None), alone(ours(found))


def known_sample(seed: int) -> tuple[Hits, Hits]:
    found = town(seed)

    def right(result: Result | None) -> Hits:
        linked = linkage.link(fields(found, result)[:3])
        return linked.right * linked.people, linked.people

    return right(None), right(ours(found))


def public_list(seed: int) -> tuple[Hits, Hits]:
    found = town(seed)

    def right(result: Result | None) -> Hits:
        units = risk.listed(fields(found, result)[:3], found.frame, released=True)
        return float((1 / np.maximum(units, 1)).sum()), len(units)

    return right(None), right(ours(found))


def _histograms(found: Town, result: Result) -> np.ndarray:
    of_row, counts = groups.after(fields(found, result)[:3])
    return np.bincount(of_row * OPINIONS + found.opinion[result.kept], minlength=len(counts) * OPINIONS).reshape(-1, OPINIONS)


def homogeneity(seed: int) -> tuple[Hits, Hits]:
    """The naive build has k of 3 and looks at no answers."""
    found = town(seed)

    def alike(result: Result) -> Hits:
        table = _histograms(found, result)
        return float(table[(table > 0).sum(axis=1) == 1].sum()), int(table.sum())

    return alike(ours(found, ProtectionRequest(3))), alike(ours(found))


def skewness(seed: int) -> tuple[Hits, Hits]:
    """Rows in groups that lie further than t from everybody's answers."""
    found = town(seed)
    of_all = np.bincount(found.opinion, minlength=OPINIONS) / len(found.opinion)

    def far(result: Result) -> Hits:
        table = _histograms(found, result)
        size = table.sum(axis=1)
        return float(size[np.abs(table / size[:, None] - of_all).sum(axis=1) / 2 > T + 1e-9].sum()), int(size.sum())

    return far(ours(found, ProtectionRequest(3))), far(ours(found))


def inference(seed: int) -> tuple[Hits, Hits]:
    """What guessing from the groups gains over people who did not answer: only half of the town is in the release."""
    whole = town(seed, 2 * PEOPLE)
    inside = replace(whole, codes=whole.codes[:PEOPLE], opinion=whole.opinion[:PEOPLE])

    def gain(result: Result | None) -> Hits:
        told = fields(inside, result)
        shown, opinion = np.stack([field.after for field in told[:3]]), told[3].after
        right = np.zeros(2)
        for person in range(2 * PEOPLE):
            fit = np.ones(shown.shape[1], dtype=bool)
            for field, column, code in zip(told, shown, whole.codes[person], strict=False):
                fit &= field.within[:, code][column]
            counts = np.bincount(opinion[fit] if fit.any() else opinion, minlength=OPINIONS)
            most = counts == counts.max()
            right[person // PEOPLE] += most[whole.opinion[person]] / most.sum()
        return float(right[0] - right[1]), PEOPLE

    return gain(None), gain(ours(inside))


def wildcard(seed: int) -> tuple[Hits, Hits]:
    """The naive build empties cells, as few as it needs, until k rows fit each row, an empty cell fitting anything.

    Who knows that it was emptied counts it as a value.
    """
    found = town(seed)
    codes = found.codes.copy()

    def fitting(row: np.ndarray) -> int:
        return int(((codes == row) | (codes < 0) | (row < 0)).all(axis=1).sum())

    for row in codes:
        kept = row.copy()
        for emptied in ([], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
            row[:] = kept
            row[emptied] = -1
            if fitting(row) >= K:
                break
    many = Counter(map(tuple, codes.tolist()))
    of_row, counts = groups.after(fields(found, ours(found))[:3])
    return (float(sum(n for n in many.values() if n < K)), PEOPLE), (float((counts[of_row] < K).sum()), len(of_row))


PRODUCTS = (("social-cohesion", 300), ("security-measurement", 150), ("ai-security", 300))
"""Questionnaires, and how many answered, whose releases are attacked by rare answers."""
SETS = 200
"""Sets of rare answers of a person that are tried."""


def rare_answers(many: int, profile: str = "public") -> Callable[[int], tuple[Hits, Hits]]:
    """Somebody knows so many rare answers of a person, each of which at most 2 k people gave, and takes the row that tells most of them.

    A withheld cell agrees with anything. Found is a person for some of whose rare answers that is one row, and theirs. In releases for
    research they are answers that count as insensitive.
    """

    def play(seed: int) -> tuple[Hits, Hits]:
        release = product(*PRODUCTS[seed - 1], profile)
        roles = {"insensitive", "sensitive"} if profile == "public" else {"insensitive"}
        fields = [field for field in compare(release.original, release.table, release.columns) if field.role in roles]
        silent, few = {MISSING, SKIPPED, *NON_SUBSTANTIVE}, 2 * PROFILES[profile].k
        known = [[code not in silent and n <= few for code, n in zip(f.answers, f.given.tolist(), strict=True)] for f in fields]
        row_of = {int(response): row for row, response in enumerate(release.protected.rows)}
        people, naive, ours = 0, 0, 0
        for person in range(len(release.original)):
            mine = [field for field, rarely in zip(fields, known, strict=True) if rarely[field.before[person]]]
            if len(mine) < many or person not in row_of:
                continue
            people += 1
            given = [(field.before == field.before[person]).astype(int) for field in mine]
            told = [_agreement(field, int(field.before[person])) for field in mine]
            naive += any(_only(given, some) == person for some in islice(combinations(range(len(mine)), many), SETS))
            ours += any(_only(told, some) == row_of[person] for some in islice(combinations(range(len(mine)), many), SETS))
        return (float(naive), people), (float(ours), people)

    return play


@cache
def product(survey: str, people: int, profile: str = "public") -> Made:
    return made(survey, profile, people)


def _agreement(field: ComparedVariable, answer: int) -> np.ndarray:
    """How well each released row agrees with an answer: not at all, as anything does with what is withheld, or told."""
    withheld = np.array([len(value.members) == len(field.answers) for value in field.released])
    return (field.within[:, answer] * np.where(withheld, 1, 2))[field.after]


def _only(agreements: list[np.ndarray], some: tuple[int, ...]) -> int:
    """The one row that agrees best with all of these answers, or -1 where none or several do."""
    chosen = np.stack([agreements[place] for place in some])
    best = chosen.sum(axis=0) * (chosen > 0).all(axis=0)
    return int(best.argmax()) if best.max() > 0 and (best == best.max()).sum() == 1 else -1


def totals(seed: int) -> tuple[Hits, Hits]:
    """One row is left out; somebody who knows all others' answers reads its answer from figures of all responses, or from our headlines."""
    found = town(seed)
    one = replace(ours(found, ProtectionRequest(K)), classes=np.where(np.arange(PEOPLE) == seed % PEOPLE, -1, 0))
    shares = tuple(Share({"en": str(code)}, "opinion", (str(code),)) for code in range(OPINIONS))
    facts = Facts(1, "s", "1", {}, "en", "public", K, shares)

    def told(answer: int) -> str:
        opinion = found.opinion.copy()
        opinion[seed % PEOPLE] = answer
        figures = json.loads(encode(report(fields(replace(found, opinion=opinion), one), facts)))
        return json.dumps(figures["utility"]["headlines"])

    published = told(int(found.opinion[seed % PEOPLE]))
    fitting = sum(told(answer) == published for answer in range(OPINIONS))
    return (1.0, 1), (1 / fitting - 1 / OPINIONS, 1)


def arrival(seed: int) -> tuple[Hits, Hits]:
    """Somebody knows as the how many-th a person answered. Does the row at that place hold its answers, more often than any row does?"""
    original, shown = encoded(seed), released(PRODUCT)
    exact = [column for column in shown.columns if not column.level and column.role != "quasi_identifier"]
    was = list(zip(*(original[column.name] for column in exact), strict=True))
    now = list(zip(*([column.categories[code].code for code in column.codes.tolist()] for column in exact), strict=True))
    many = Counter(now)
    chance = sum(many[row] for row in was) / len(now)  # what a place without meaning would give
    right = sum(one == other for one, other in zip(was, now, strict=False))
    return (len(was) - chance, len(was)), (right - chance, len(was))


def free_text(seed: int) -> tuple[Hits, Hits]:
    """Names, addresses, telephone numbers that people wrote where texts are asked for: are they in the bytes of any file?"""
    original = encoded(seed, SECRETS)
    instrument = every_kind()
    edition = ReleaseInfo(1, "every-kind", "0.1.0", instrument.title, ("en", "fr"), "en", "CC-BY-4.0", {}, "public", K, K, PRODUCT, 0, 0)
    made = tabulate(edition, instrument, variables(instrument), original, {})
    with tempfile.TemporaryDirectory() as place:
        formats.write(Path(place), made, lambda share: None)
        files = b"".join(path.read_bytes() for path in sorted(Path(place).iterdir()))
        pd.DataFrame([msgspec.to_builtins(answer) for answer in drawn(seed, SECRETS)]).to_csv(Path(place) / "naive.csv")
        naive = (Path(place) / "naive.csv").read_bytes()
    return (_planted(naive), len(SECRETS)), (_planted(files), len(SECRETS))


def _planted(body: bytes) -> float:
    return float(sum(secret.encode() in body or secret.encode("utf-16-le") in body for secret in SECRETS))


def drawn(seed: int, wishes: tuple[str, ...] = ()) -> list[Any]:
    """What the respondents of `released` answer; the first of them write these wishes."""
    instrument = every_kind()
    population = Population(instrument, seed, today_of(time.time()))
    given = [population.respondent(n).answers for n in range(PRODUCT)]
    for answer, wish in zip(given, wishes, strict=False):
        answer.A8 = wish
    return given


def encoded(seed: int, wishes: tuple[str, ...] = ()) -> pd.DataFrame:
    """Their answers as the codes of the release's variables."""
    reader, columns = Reader(every_kind()), variables(every_kind())
    encoder = Encoder(CodeBook(reader), columns)
    encoder.add([reader.stored(msgspec.json.encode(answer)) for answer in drawn(seed, wishes)])
    return encoder.table()


Attack = Callable[[int], tuple[Hits, Hits]]


@dataclass(frozen=True)
class Played:
    """`bound`: what ours is held to."""

    attack: Attack
    name: str
    wants: str
    naive: str
    bound: float
    surveys: int = 20


ATTACKS = (
    Played(singling_out, "Singling out by quasi-identifiers", "a row that is alone", "answers as given", 0.0),
    Played(known_sample, "Linkage with a tenth known", "the row of a person", "answers as given", 1 / K),
    Played(public_list, "Linkage with a public list", "the unit behind a row", "answers as given", 1 / UNITS),
    Played(homogeneity, "Homogeneity", "a group that gave one answer", "k of 3, answers not looked at", 0.0),
    Played(skewness, "Skewness", f"a group further than {T} from everybody", "k of 3, answers not looked at", 0.0),
    Played(inference, "Inference, beyond a control group", "more right guesses about who answered", "answers as given", 0.1, 6),
    Played(rare_answers(2), "Two rare answers known", "the row of a person", "answers as given", 0.0, len(PRODUCTS)),
    Played(rare_answers(3), "Three rare answers known", "the row of a person", "answers as given", 0.0, len(PRODUCTS)),
    Played(
        rare_answers(2, "scientific"), "Two rare answers known, scientific", "the row of a person", "answers as given", 0.0, len(PRODUCTS)
    ),
    Played(survivors, "Intersecting two releases", "survivors in fewer than k rows", "protected afresh", 0.0),
    Played(both_profiles, "Intersecting a public and a scientific release", "survivors in fewer than 5 rows", "a ledger for each", 0.0),
    Played(deleted_rows, "Rows deleted after withdrawals", "rows in groups below k", "rows deleted", 0.0),
    Played(two_surveys, "Two surveys of the same people", "one answer possible in both", "k of 3, answers not looked at", 0.01),
    Played(minimality, "Minimality, beyond groups made without answers", "more right guesses", "cuts chosen by the answers", 0.02),
    Played(wildcard, "Empty cells as wildcards", "rows in groups below k", "cells emptied", 0.0),
    Played(lambda seed: arrival(DRAWN), "Order of arrival", "the row of the person who answered then", "rows as they came", 0.05, 1),
    Played(free_text, "Names and addresses in free text", "a name in any file", "answers as given", 0.0, 1),
    Played(totals, "Totals that undo suppression", "the answer of a row left out", "totals of all responses", 0.0),
)


@dataclass(frozen=True)
class Outcome:
    played: Played
    naive: float
    ours: float
    tries: int
    interval: tuple[float, float]


def play(played: Played, surveys: int | None = None) -> Outcome:
    rounds = [played.attack(seed) for seed in range(1, (surveys or played.surveys) + 1)]
    naive, mine = ([sum(side[part] for side in sides) for part in (0, 1)] for sides in zip(*rounds, strict=True))
    share = mine[0] / mine[1]
    return Outcome(played, naive[0] / naive[1], share, int(mine[1]), of_share(max(share, 0.0), int(mine[1])))


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def table(outcomes: list[Outcome]) -> str:
    head = "| attack | wants | naive build | its success | ours | 95 % interval | bound |\n|---|---|---|---|---|---|---|"
    lines = [
        f"| {o.played.name} | {o.played.wants} | {o.played.naive} | {_percent(o.naive)} | {_percent(o.ours)} | "
        f"{_percent(o.interval[0])} to {_percent(o.interval[1])} of {o.tries:,} | {_percent(o.played.bound)} |"
        for o in outcomes
    ]
    return "\n".join([head, *lines])


def main() -> None:
    """Writes the table in place of the one that is there."""
    before, _, rest = PAGE.read_text("utf-8").partition("| attack |")
    after = rest.partition("\n\n")[2]
    PAGE.write_text(f"{before}{table([play(played) for played in ATTACKS])}\n\n{after}", "utf-8")


if __name__ == "__main__":
    main()
