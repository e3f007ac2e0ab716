"""Attacks that put several releases, or a release and our code, together."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from services.export.protect.anonymise import Result, protect
from services.export.protect.request import Closeness, Diversity, ProtectionRequest
from services.export.protect.sequence import Ledger, SequenceRules, release
from services.export.report import groups
from tests.export.towns import OPINIONS, PEOPLE, QUASI, Hits, K, T, Town, fields, ours, town

FINE = 5
"""The k of scientific releases."""
DRAWS = 400
"""Ways in which a group may have answered that are looked at."""


def survivors(seed: int) -> tuple[Hits, Hits]:
    """Two releases, a tenth of the people withdrew in between: who stayed, and stands in fewer than k rows alike in both?"""
    found = town(seed)
    rng = np.random.default_rng(seed)
    stays = np.sort(rng.choice(PEOPLE, PEOPLE * 9 // 10, replace=False))
    everybody, wanted = np.arange(PEOPLE), ProtectionRequest(K)

    def pinned(first: Result, second: Result) -> Hits:
        both = [i for i, person in enumerate(stays.tolist()) if first.kept[person] and second.kept[i]]
        looks = [(*first.released[stays[i]].tolist(), *second.released[i].tolist()) for i in both]
        many = Counter(looks)
        return float(sum(many[look] < K for look in looks)), len(looks)

    once = protect(found.codes, QUASI, [], wanted, everybody)
    again = protect(found.codes[stays], QUASI, [], wanted, stays)
    one = release(everybody, found.codes, QUASI, [], SequenceRules(wanted, spare=1), most_missing=1.0)
    other = release(stays, found.codes[stays], QUASI, [], SequenceRules(wanted), one.ledger, most_missing=1.0)
    return pinned(once, again), pinned(one.result, other.result)


def both_profiles(seed: int) -> tuple[Hits, Hits]:
    """Public, scientific, and both again after a tenth withdrew and some joined; rows are joined by their answers.

    Who is in the last, and in fewer rows alike in all releases it is in than the scientific k? The naive build has two ledgers.
    """
    whole = town(seed, PEOPLE + 80)
    rng = np.random.default_rng(seed)
    first = np.arange(PEOPLE)
    later = np.sort(np.concatenate([rng.choice(PEOPLE, PEOPLE * 9 // 10, replace=False), np.arange(PEOPLE, PEOPLE + 80)]))
    wide, narrow = (
        ProtectionRequest(K, diversity=Diversity(2), closeness=Closeness(T)),
        ProtectionRequest(FINE, diversity=Diversity(2), closeness=Closeness(0.7)),
    )

    def pinned(*steps: tuple[SequenceRules, str, bool]) -> Hits:
        ledgers: dict[str, Ledger] = {}
        looks: dict[int, list[tuple[int, ...]]] = {}
        for turn, people in enumerate((first, later)):
            own = [replace(whole.sensitive[0], codes=whole.opinion[people])]
            for rules, name, fine in steps:
                found = release(people, whole.codes[people], QUASI, own, rules, ledgers.get(name), fine, most_missing=1.0)
                ledgers[name] = found.ledger
                for row in np.flatnonzero(found.result.kept):
                    looks.setdefault(int(people[row]), []).append((turn, fine, *found.result.released[row].tolist()))
        stay = [tuple(looks[person]) for person in later[found.result.kept].tolist()]
        many = Counter(stay)
        return float(sum(many[look] < FINE for look in stay)), len(stay)

    apart = pinned((SequenceRules(wide, spare=1), "public", False), (SequenceRules(narrow, spare=1), "scientific", False))
    return apart, pinned((SequenceRules(wide, narrow, 1), "survey", False), (SequenceRules(wide, narrow, 1), "survey", True))


def two_surveys(seed: int) -> tuple[Hits, Hits]:
    """Two surveys a year apart ask the same people the same; half of the others change (composition: Ganta and others, KDD 2008).

    Somebody knows the quasi-identifiers of a person in both, and that its answer stayed: does one answer alone occur in both its groups?
    """
    found = town(seed)
    rng = np.random.default_rng(seed)
    both = rng.permutation(PEOPLE)[: PEOPLE // 2]
    other = town(seed + 1000)
    again = replace(other, codes=other.codes.copy(), opinion=other.opinion.copy())
    again.codes[both], again.opinion[both] = found.codes[both], found.opinion[both]

    def known(request: ProtectionRequest | None) -> Hits:
        possible = []
        for wave in (found, again):
            result = ours(wave, request)
            of_row, counts = groups.after(fields(wave, result)[:3])
            occurs = np.zeros((len(counts), OPINIONS), dtype=bool)
            occurs[of_row, wave.opinion[result.kept]] = True
            of_person = np.ones((PEOPLE, OPINIONS), dtype=bool)
            of_person[result.kept] = occurs[of_row]
            possible.append(of_person)
        left = (possible[0] & possible[1])[both].sum(axis=1)
        return float((left == 1).sum()), len(both)

    return known(ProtectionRequest(3)), known(None)


def minimality(seed: int) -> tuple[Hits, Hits]:
    """Somebody who has all quasi-identifiers runs the public algorithm without the answers (Wong and others, VLDB 2007): a group that
    came out larger than that gives holds a part that was too much alike. What do groups made with an eye on the answers add to
    guesses, beyond groups as large that were made without? The naive build cuts where the answers part, as far as two are left.
    """
    found = town(seed)
    blind = ours(found, ProtectionRequest(K)).classes
    without = _guessed(found, blind)
    classes, chance = (
        ours(found, ProtectionRequest(K, diversity=Diversity(2), closeness=Closeness(T))).classes,
        np.zeros((PEOPLE, OPINIONS)),
    )
    of_all = np.bincount(found.opinion, minlength=OPINIONS) / PEOPLE
    rng = np.random.default_rng(seed)
    for each in np.unique(classes):
        rows = np.flatnonzero(classes == each)
        names, of_part = np.unique(blind[rows], return_inverse=True)
        drawn = rng.permuted(np.tile(found.opinion[rows], (DRAWS, 1)), axis=1)  # who answered what, as far as the group tells
        tables = np.zeros((DRAWS, len(names), OPINIONS))
        np.add.at(tables, (np.arange(DRAWS)[:, None], of_part[None, :], drawn), 1)
        shares = tables / tables.sum(axis=2, keepdims=True)
        alike = ((tables > 0).sum(axis=2) < 2) | (np.abs(shares - of_all).sum(axis=2) / 2 > T)
        fits = alike.any(axis=1) if len(names) > 1 else ~alike.any(axis=1)
        chance[rows] = shares[fits if fits.any() else slice(None)].mean(axis=0)[of_part]
    right = float((chance.argmax(axis=1) == found.opinion).sum())
    return (_guessed(found, _parted(found)) - without, PEOPLE), (right - without, PEOPLE)


def _guessed(found: Town, classes: np.ndarray) -> float:
    """How many are guessed right who are guessed to have answered as most of their group."""
    return float(sum(np.bincount(found.opinion[classes == each]).max() for each in np.unique(classes)))


def _parted(found: Town) -> np.ndarray:
    """Groups of at least k with two answers, cut where that lets most be guessed."""
    classes = np.zeros(PEOPLE, dtype=np.int64)
    waiting = [np.arange(PEOPLE)]
    while waiting:
        rows = waiting.pop()
        best, most = None, np.bincount(found.opinion[rows]).max()
        for column in found.codes[rows].T:
            for place in np.unique(column)[:-1]:
                left, right = (np.bincount(found.opinion[rows[side]], minlength=OPINIONS) for side in (column <= place, column > place))
                fine = min(left.sum(), right.sum()) >= K and min((left > 0).sum(), (right > 0).sum()) >= 2
                if fine and left.max() + right.max() > most:
                    best, most = column <= place, left.max() + right.max()
        if best is not None:
            classes[rows[best]] = classes.max() + 1
            waiting += [rows[best], rows[~best]]
    return classes


def deleted_rows(seed: int) -> tuple[Hits, Hits]:
    """The naive build deletes the rows of who withdrew from the earlier release: what is left of their groups?"""
    found = town(seed)
    stays = np.sort(np.random.default_rng(seed).choice(PEOPLE, PEOPLE * 9 // 10, replace=False))
    first = protect(found.codes, QUASI, [], ProtectionRequest(K), np.arange(PEOPLE))
    one = release(np.arange(PEOPLE), found.codes, QUASI, [], SequenceRules(ProtectionRequest(K), spare=1), most_missing=1.0)
    other = release(stays, found.codes[stays], QUASI, [], SequenceRules(ProtectionRequest(K)), one.ledger, most_missing=1.0)

    def small(rows: np.ndarray) -> Hits:
        many = Counter(map(tuple, rows.tolist()))
        return float(sum(n for n in many.values() if n < K)), len(rows)

    return small(first.released[stays]), small(other.result.released[other.result.kept])
