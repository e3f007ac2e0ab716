"""Somebody who has everything the server ever wrote, the memory of its processes or the organiser's list of codes, tries to find out
whose answer is whose.

The attacker reads files, not interfaces: every byte below the data folder, the journal's and the store's files with whatever lies in them
unused, write-ahead logs, text logs, metrics; and memory as a core dump holds it. Of each code and each response everything is taken down by
which they could be put in order or recognised; every order of codes is then laid beside every order of responses, forwards and backwards,
each code is given the response whose traces lie nearest to its own in memory, and the best match counts.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, rankdata

from proto import invitation

HEADERS = 1 << 31
"""The bit in a record's length that says that it has headers."""
Feature = dict[int, float]
"""By respondent, or code: something to put them in order by."""


@dataclass
class Dump:
    """Files by name, and what the services said of themselves."""

    files: dict[str, bytes] = field(repr=False)

    @staticmethod
    def of(folder: Path, **texts: bytes) -> Dump:
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return Dump(found | texts)

    def holds(self, needles: Sequence[bytes]) -> set[int]:
        """Which of these stand anywhere in it, by their numbers."""
        return {number for data in self.files.values() for number in places(data, needles)}


@dataclass(frozen=True)
class Record:
    """A message as a JetStream file holds it, also where it is no longer served."""

    seq: int
    time: int
    subject: str
    data: bytes


def records(block: bytes) -> Iterator[Record]:
    place = 0
    while place + 22 <= len(block):
        length, seq, time, subject = struct.unpack_from("<IQQH", block, place)
        size = length & ~HEADERS
        if size < 22 or place + size > len(block):
            return
        body = block[place + 22 : place + size - 8]
        yield Record(seq & ~(1 << 63), time, body[:subject].decode("latin-1"), body[subject:])
        place += size


def places(data: bytes, needles: Sequence[bytes]) -> dict[int, list[int]]:
    """Where each needle stands, by its number; by their first four bytes at once, since data and needles are many."""
    found: dict[int, list[int]] = {}
    by_start: dict[int, list[int]] = {}
    for number, needle in enumerate(needles):
        by_start.setdefault(int.from_bytes(needle[:4], "little"), []).append(number)
    starts = np.array(sorted(by_start), dtype="<u4")
    likely = np.zeros(1 << 16, dtype=bool)
    likely[starts & 0xFFFF] = True
    for shift in range(min(4, len(data))):
        words = np.frombuffer(data, dtype="<u4", offset=shift, count=max(0, (len(data) - shift) // 4))
        candidates = np.flatnonzero(likely[words & 0xFFFF])
        some = words[candidates]
        equal = starts[np.searchsorted(starts, some).clip(max=len(starts) - 1)] == some
        for index in candidates[equal]:
            offset = 4 * int(index) + shift
            for number in by_start[int(words[index])]:
                if data.startswith(needles[number], offset):
                    found.setdefault(number, []).append(offset)
    return {number: sorted(offsets) for number, offsets in found.items()}


@dataclass
class Attack:
    dump: Dump
    survey: str
    codes: Sequence[str]
    ids: Sequence[str]
    """Of the responses, in the order in which the attacker happens to list them."""
    more_of_codes: Mapping[str, Sequence[bytes]] = field(default_factory=dict[str, "Sequence[bytes]"])
    more_of_responses: dict[str, Sequence[bytes]] = field(default_factory=dict[str, "Sequence[bytes]"])
    """What else the attacker looks for, by kind: one for each code, one for each response."""
    of_codes: dict[str, Feature] = field(default_factory=dict[str, Feature])
    of_responses: dict[str, Feature] = field(default_factory=dict[str, Feature])

    def __post_init__(self) -> None:
        bare = [code.replace("-", "") for code in self.codes]
        names = [invitation.name(self.survey, code) for code in bare]
        hexed = [name.hex().encode() for name in names]
        traces = self._look(self.of_codes, {"name": names, "hex": hexed, **self.more_of_codes})
        others = self._look(
            self.of_responses,
            {"id": [id.encode() for id in self.ids], "raw": [bytes.fromhex(id) for id in self.ids], **self.more_of_responses},
        )
        self.nearest = {name: _nearest(traces[name], others[name]) for name in traces if name.startswith("memory/") and name in others}
        self.marks = self._marks(names)
        self.of_codes["mark"] = {number: float(int.from_bytes(mark[:6])) for number, mark in self.marks.items()}
        self.of_responses["listed"] = {number: float(number) for number in range(len(self.ids))}
        self.of_responses["by id"] = {number: float(int(id[:12], 16)) for number, id in enumerate(self.ids)}

    def _look(self, features: dict[str, Feature], kinds: dict[str, Sequence[bytes]]) -> dict[str, dict[int, list[int]]]:
        """Returns where in each file there are traces of each."""
        traces: dict[str, dict[int, list[int]]] = {}
        whose = [(kind, number) for kind, needles in kinds.items() for number in range(len(needles))]
        needles = [needle for each in kinds.values() for needle in each]
        for name, data in self.dump.files.items():
            where = places(data, needles)
            stream = re.sub(r".*streams/([A-Z]+)/.*", r"\1", name)
            for what, pick in (("first", min), ("last", max), ("times", len)):
                for place, offsets in where.items():
                    kind, number = whose[place]
                    features.setdefault(f"{kind} {what} in {stream}", {}).setdefault(number, float(pick(offsets)))
            for place, offsets in where.items():
                traces.setdefault(name, {}).setdefault(whose[place][1], []).extend(offsets)
            if where and name.endswith(".blk"):
                self._look_at_messages(features, stream, data, needles, whose)
        return traces

    def _look_at_messages(
        self, features: dict[str, Feature], stream: str, block: bytes, needles: list[bytes], whose: list[tuple[str, int]]
    ) -> None:
        """The first and the last message that names each, also among those no longer served."""
        for record in records(block):
            part = record.subject.rpartition(".")[2] if "invitations" in record.subject else "message"
            for place in places(record.subject.encode() + b"\n" + record.data, needles):
                kind, number = whose[place]
                for what, value in (("time", record.time), ("sequence", record.seq)):
                    features.setdefault(f"{kind} in {stream}, first {part}'s {what}", {}).setdefault(number, float(value))
                    features.setdefault(f"{kind} in {stream}, last {part}'s {what}", {})[number] = float(value)

    def _marks(self, names: list[bytes]) -> dict[int, bytes]:
        """What stands beside each code."""
        marks: dict[int, bytes] = {}
        for name, data in self.dump.files.items():
            if name.endswith(".blk"):
                for record in records(data):
                    if record.subject.endswith(".marks"):
                        for number, offsets in places(record.data, names).items():
                            marks[number] = record.data[offsets[0] + 16 : offsets[0] + 32]
        return marks

    def matches(self) -> dict[str, dict[int, int]]:
        """For each way of matching, which response it gives to each code."""
        found: dict[str, dict[int, int]] = {}
        for one, codes in _worth_it(self.of_codes, len(self.codes)).items():
            for other, responses in _worth_it(self.of_responses, len(self.ids)).items():
                given, taken = sorted(codes, key=codes.__getitem__), sorted(responses, key=responses.__getitem__)
                for way, order in (("", taken), (" backwards", taken[::-1])):
                    found[f"{one} ~ {other}{way}"] = dict(zip(given, order, strict=False))
        return found | {f"nearest in {name}": match for name, match in self.nearest.items()}

    def shared(self) -> list[tuple[int, int]]:
        """Codes and responses between whose stored values 64 bits in a row are the same, as bytes or in hexadecimal."""
        windows: dict[bytes, int] = {}
        for number, mark in self.marks.items():
            for value in (invitation.name(self.survey, self.codes[number].replace("-", "")), mark):
                windows |= dict.fromkeys(_windows(value, 8), number) | dict.fromkeys(_windows(value.hex().encode(), 16), number)
        found: list[tuple[int, int]] = []
        for response, id in enumerate(self.ids):
            for value in self._values(id):
                parts = (*_windows(value, 8), *_windows(value, 16))
                found += [(windows[part], response) for part in parts if part in windows]
        return found

    def _values(self, id: str) -> Iterator[bytes]:
        yield id.encode()
        yield bytes.fromhex(id)
        for name, data in self.dump.files.items():
            if name.endswith(".blk") and "RESPONSES" in name:
                yield from (record.data for record in records(data) if record.subject.endswith(id))


def _nearest(codes: dict[int, list[int]], responses: dict[int, list[int]]) -> dict[int, int]:
    """Of each code the response whose traces come nearest to one of its own."""
    places = np.array([offset for offsets in responses.values() for offset in offsets])
    owners = np.array([number for number, offsets in responses.items() for _ in offsets])
    order = places.argsort()
    places, owners = places[order], owners[order]
    found: dict[int, int] = {}
    for number, offsets in codes.items():
        right = np.searchsorted(places, offsets).clip(max=len(places) - 1)
        both = np.concatenate([right, (right - 1).clip(min=0)])
        away = np.abs(places[both] - np.tile(offsets, 2))
        found[number] = int(owners[both[away.argmin()]])
    return found


def _windows(value: bytes, size: int) -> list[bytes]:
    return [value[start : start + size] for start in range(len(value) - size + 1)]


def _worth_it(features: dict[str, Feature], whole: int) -> dict[str, Feature]:
    """Those that know half of them at least and put them into several groups; the same order is tried once."""
    orders: dict[tuple[int, ...], tuple[str, Feature]] = {}
    for name, feature in features.items():
        if len(feature) > whole // 2 and len(set(feature.values())) > 4:
            orders.setdefault(tuple(sorted(feature, key=feature.__getitem__)), (name, feature))
    return dict(orders.values())


@dataclass(frozen=True)
class Verdict:
    """`right` by the best of `ways`. `chance`: what the best way reaches in 95 of 100 worlds where codes and responses belong together at
    random; `ceiling`: in every such world that was tried."""

    ways: int
    best: str
    right: int
    of: int
    chance: int
    ceiling: int
    correlation: float
    correlation_by_chance: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, exact (Clopper and Pearson 1934), of the best way's share."""
        bounds = binomtest(self.right, self.of).proportion_ci(0.95)
        return bounds.low, bounds.high

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.right} of {self.of} right by the best of {self.ways} ways ({self.best}): {self.right / self.of:.1%}, "
            f"95 % interval {low:.1%} to {high:.1%}; by chance the best way reaches up to {self.chance}; "
            f"strongest rank correlation {self.correlation:.2f}, by chance up to {self.correlation_by_chance:.2f}"
        )


def judge(attack: Attack, truth: dict[int, int], rounds: int = 4000) -> Verdict:
    """`truth` is which response belongs to which code. Chance is found by shuffling it."""
    size = len(attack.codes)
    ways = attack.matches()
    guesses = np.full((len(ways), size), -1)
    for row, match in enumerate(ways.values()):
        guesses[row, list(match)] = list(match.values())
    right = (guesses == np.array([truth[number] for number in range(size)])).sum(axis=1)
    random = np.random.default_rng(11)
    by_chance = sorted(int((guesses == random.permutation(size)).sum(axis=1).max()) for _ in range(rounds))
    best = int(right.argmax()) if len(right) else 0
    codes, responses = (_ranks(_worth_it(features, size), size) for features in (attack.of_codes, attack.of_responses))

    def strongest(joined: Sequence[int] | NDArray[np.int64]) -> float:
        return float(np.abs(codes @ responses[:, np.array(joined)].T).max(initial=0.0))

    shuffled = [strongest(random.permutation(size)) for _ in range(rounds // 4)]
    return Verdict(
        len(ways), list(ways)[best] if ways else "none", int(right[best]) if len(right) else 0, size,
        by_chance[int(0.95 * rounds)], by_chance[-1], strongest([truth[number] for number in range(size)]), max(shuffled),
    )  # fmt: skip


def _ranks(features: dict[str, Feature], size: int) -> np.ndarray:
    """One line per feature, of length one, so that a product is Spearman's correlation; who is not known stands in the middle."""
    lines = np.zeros((len(features), size))
    for line, feature in zip(lines, features.values(), strict=True):
        known = list(feature)
        line[known] = rankdata([feature[number] for number in known]) - (len(known) + 1) / 2
        line /= np.linalg.norm(line) or 1.0
    return lines
